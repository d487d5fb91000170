import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ResentFilter } from './cursor.ts'

test('remembers exactly the last events by source and id, whatever their ids look like', () => {
  const id = fc.oneof(
    fc.nat(9).map(String),
    fc.nat(5).map((n) => `long-${'x'.repeat(60)}-${n}`),
  )
  const source = fc.constantFrom(undefined, 'a', 'b')
  const step = fc.record({ ask: fc.boolean(), source, id })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const filter = new ResentFilter(8)
      const last: string[] = []
      const answers: [boolean, boolean][] = []
      for (const { ask, source: from, id: name } of steps) {
        const key = `${String(from)}/${name}`
        if (ask) answers.push([filter.has(from, name), last.includes(key)])
        else {
          filter.add(from, name)
          last.push(key)
          if (last.length > 8) last.shift()
        }
      }
      expect(answers.map(([said]) => said)).toEqual(answers.map(([, is]) => is))
    }),
    { numRuns: 3_000 },
  )
})
