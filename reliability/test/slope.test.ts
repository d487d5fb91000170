/** A heap that grows must show, and one that does not must not. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { slopeOf } from '../src/measure/slope.ts'

const DAYS = Array.from({ length: 24 }, (_, i) => i / 36)

describe('the slope of a heap', () => {
  test('is what it grows by in a day, wherever it begins', () => {
    const number = fc.integer({ min: -1_000, max: 1_000 })
    fc.assert(
      fc.property(number, number, (growth, start) => {
        expect(slopeOf(DAYS.map((day) => [day, start + growth * day]))).toBeCloseTo(growth, 6)
      }),
    )
  })

  test('is that of the line from which the squares of the distances are least', () => {
    const heights = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 3, maxLength: 24 })
    fc.assert(
      fc.property(heights, (ys) => {
        const points = ys.map((y, x) => [x, y] as const)
        const best = distance(points, slopeOf(points))
        for (const other of [-0.01, 0.01]) {
          expect(distance(points, slopeOf(points) + other)).toBeGreaterThan(best)
        }
      }),
    )
  })

  test('sees a step that stays', () => {
    expect(slopeOf(DAYS.map((day, i) => [day, i < DAYS.length / 2 ? 0 : 10]))).toBeGreaterThan(10)
  })

  test('is nothing for fewer than two points', () => {
    expect(slopeOf([])).toBe(0)
    expect(slopeOf([[1, 5]])).toBe(0)
  })
})

/** The squares of the distances from the best line with this slope, together. */
function distance(points: readonly (readonly [number, number])[], slope: number): number {
  const rests = points.map(([x, y]) => y - slope * x)
  const mean = rests.reduce((sum, rest) => sum + rest, 0) / rests.length
  return rests.reduce((sum, rest) => sum + (rest - mean) ** 2, 0)
}
