/** A heap that grows must show, whatever else comes and goes in it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { slopeOf } from '../src/measure/slope.ts'

const DAYS = Array.from({ length: 24 }, (_, i) => i / 36)

describe('the slope of a heap', () => {
  test('is what it grows by in a day, also under what is held for a moment only', () => {
    // Up to every fifth look finds something that is gone at the next.
    const spikes = fc.uniqueArray(fc.nat({ max: DAYS.length - 1 }), { maxLength: 4 })
    fc.assert(
      fc.property(
        fc.integer({ min: -9, max: 9 }),
        spikes,
        fc.integer({ min: 1, max: 50 }),
        (growth, at, height) => {
          const points = DAYS.map(
            (day, i) => [day, growth * day + (at.includes(i) ? height : 0)] as const,
          )
          expect(slopeOf(points)).toBeCloseTo(growth, 6)
        },
      ),
    )
  })

  test('sees a step that stays as long as half of the looks are on either side of it', () => {
    expect(slopeOf(DAYS.map((day, i) => [day, i < DAYS.length / 2 ? 0 : 10]))).toBeGreaterThan(1)
  })

  test('is nothing for fewer than two points', () => {
    expect(slopeOf([])).toBe(0)
    expect(slopeOf([[1, 5]])).toBe(0)
  })
})
