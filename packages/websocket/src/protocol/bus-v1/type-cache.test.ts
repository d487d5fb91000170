import { isType } from '@bus/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { TypeCache } from './fields.ts'

it('reads exactly the types of the grammar, however often and whatever came before', () => {
  const cache = new TypeCache()
  const text = fc.oneof(
    fc.stringMatching(/^[a-c]{1,2}(\.[a-c]{1,2}){0,2}$/),
    fc.string({ maxLength: 6 }).map((s) => s.replaceAll(/[^\x20-\x7e]/g, '')),
  )
  fc.assert(
    fc.property(fc.array(text, { maxLength: 50 }), (texts) => {
      for (const type of [...texts, ...texts]) {
        const bytes = Buffer.from(`pub 1 ${type} id {}`)
        const expected = isType(type) ? type : undefined
        expect(cache.read(bytes, 6, 6 + type.length)).toBe(expected)
      }
    }),
  )
})
