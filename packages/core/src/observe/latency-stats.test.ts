import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LatencyStats } from './latency-stats.ts'

function statsOf(values: readonly number[], size?: number): LatencyStats {
  const stats = new LatencyStats(size)
  for (const value of values) stats.add(value)
  return stats
}

describe('without measurements', () => {
  test('every percentile and the last are undefined, and the count is 0', () => {
    const stats = new LatencyStats()
    expect([stats.p50, stats.p99, stats.percentile(0), stats.percentile(100)]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
    expect(stats.last).toBe(undefined)
    expect(stats.count).toBe(0)
    expect(stats.summary()).toEqual({ count: 0 })
  })

  test('reset brings it back to that', () => {
    const stats = statsOf([1, 2, 3])
    stats.reset()
    expect(stats.summary()).toEqual({ count: 0 })
    stats.add(7)
    expect(stats.summary()).toEqual({ count: 1, p50: 7, p99: 7, last: 7 })
  })
})

describe('percentiles', () => {
  test('p50 of an odd number of values is the one in the middle', () => {
    expect(statsOf([5, 1, 3]).p50).toBe(3)
  })

  test('p50 of an even number of values is the lower one of the two in the middle', () => {
    expect(statsOf([4, 1, 3, 2]).p50).toBe(2)
  })

  test('p99 of a hundred values is the second largest', () => {
    expect(statsOf(Array.from({ length: 100 }, (_, n) => n + 1)).p99).toBe(99)
  })

  test('p99 of a few values is the largest', () => {
    expect(statsOf([1, 2, 900]).p99).toBe(900)
  })

  test('p0 is the smallest and p100 the largest, and beyond them there is nothing', () => {
    const stats = statsOf([20, 10, 30])
    expect([-5, 0, 100, 500].map((p) => stats.percentile(p))).toEqual([10, 10, 30, 30])
  })

  test('values are ordered as numbers, also zero and huge ones', () => {
    const stats = statsOf([1e15, 9, 0, 100, 0.5])
    expect([0, 20, 40, 60, 80, 100].map((p) => stats.percentile(p))).toEqual([
      0, 0, 0.5, 9, 100, 1e15,
    ])
  })

  test('reading changes nothing, and what comes out of order stays so for the last', () => {
    const stats = statsOf([30, 10, 20])
    expect([stats.p50, stats.p50, stats.last]).toEqual([20, 20, 20])
    stats.add(5)
    expect([stats.percentile(0), stats.last]).toEqual([5, 5])
  })

  test('for any values they are those of the sorted latest ones', () => {
    const values = fc.array(fc.double({ min: 0, max: 1e12, noNaN: true }), { minLength: 1 })
    fc.assert(
      fc.property(
        values,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 100 }),
        (all, size, p) => {
          const kept = all.slice(-size).toSorted((a, b) => a - b)
          const stats = statsOf(all, size)
          const found = stats.percentile(p)
          expect(kept).toContain(found)
          const notAbove = kept.filter((value) => value <= (found ?? -1)).length
          const below = kept.filter((value) => value < (found ?? -1)).length
          expect(notAbove / kept.length).toBeGreaterThanOrEqual(p / 100 - 1e-9)
          expect(below / kept.length).toBeLessThan(p / 100)
          expect(stats.count).toBe(all.length)
          expect(stats.last).toBe(all.at(-1))
        },
      ),
    )
  })
})

describe('the ring', () => {
  test('keeps the latest 100 by default, and counts all of them', () => {
    const stats = statsOf(Array.from({ length: 250 }, (_, n) => n))
    expect([stats.percentile(0), stats.percentile(100), stats.count]).toEqual([150, 249, 250])
  })

  test('of size 1 keeps the last', () => {
    const stats = statsOf([3, 8, 5], 1)
    expect(stats.summary()).toEqual({ count: 3, p50: 5, p99: 5, last: 5 })
  })

  test.each([0, -1, 1.5, NaN, Infinity])('of size %s is refused', (size) => {
    expect(() => new LatencyStats(size)).toThrow(/Expected `size` to be an integer ≥ 1/)
  })

  test.each([-1, NaN, Infinity])('%s is no latency and is left out', (ms) => {
    expect(statsOf([4, ms]).summary()).toEqual({ count: 1, p50: 4, p99: 4, last: 4 })
  })
})
