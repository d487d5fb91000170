import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Recent } from './pattern-set.ts'

describe('the recent', () => {
  test('says of every cursor exactly what is wanted behind it, or that it does not know', () => {
    const steps = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 200 })
    fc.assert(
      fc.property(fc.nat(10), steps, fc.nat(900), fc.nat(900), (from, gaps, cursor, length) => {
        const recent = new Recent(from)
        const all: number[] = []
        for (const gap of gaps) {
          const offset = (all.at(-1) ?? from) + gap
          all.push(offset)
          recent.add(offset)
        }
        const behind = all.filter((offset) => offset > cursor)
        const between = recent.between(cursor, cursor + length)
        const isKnown = between !== undefined
        // The newest are known always.
        expect(isKnown || cursor < from || behind.length >= 64).toBe(true)
        expect(between ?? []).toEqual(isKnown ? behind.filter((o) => o <= cursor + length) : [])
        expect(recent.firstBehind(cursor)).toBe(isKnown ? (behind[0] ?? Infinity) : undefined)
      }),
    )
  })

  test('knows whoever is up to date, however much was wanted before', () => {
    const recent = new Recent(0)
    for (let offset = 1; offset <= 1_000; offset++) {
      expect(recent.firstBehind(offset - 1)).toBe(Infinity)
      recent.add(offset)
      expect(recent.between(offset - 1, offset)).toEqual([offset])
    }
  })
})
