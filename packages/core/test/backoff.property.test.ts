/** The backoff of clients that nobody configured: how long each waits, and that they do not all wait the same. */
import { assert, constantFrom, double, integer, property } from 'fast-check'
import { expect, test } from 'vitest'
import { backoff, delayOf } from '../src/resilience/backoff.ts'

test('every delay is a number between nothing and the cap, for ten thousand attempts and any jitter [F42]', () => {
  assert(
    property(
      integer({ min: 0, max: 10_000 }),
      double({ min: 0, max: 60_000, noNaN: true }),
      double({ min: 1, max: 1_000, noNaN: true }),
      constantFrom('none', 'full', 'equal'),
      double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, initialMs, factor, jitter, drawn) => {
        const policy = backoff.exponential({ initialMs, factor, maxMs: 60_000, jitter })
        const delayMs = delayOf(policy, attempt, () => drawn)
        expect(delayMs).toBeGreaterThanOrEqual(0)
        expect(delayMs).toBeLessThanOrEqual(60_000)
      },
    ),
    { numRuns: 10_000 },
  )
})

test.each([Number.NaN, -1, Infinity, 2 ** 31, '5', null])(
  'a delay of %s is refused as an option, and does not set the pace when a policy answers with it [F42]',
  (ms) => {
    expect(() => backoff.exponential({ initialMs: ms as number })).toThrow(/initialMs/)
    expect(() => backoff.constant({ delayMs: ms as number })).toThrow(/delayMs/)
    const delayMs = delayOf(() => ms as number, 1, Math.random)
    expect(delayMs).toBeGreaterThanOrEqual(0)
    expect(delayMs).toBeLessThan(2 ** 31)
  },
)

test('a thousand clients without a server’s advice wait a thousand different times, spread over the whole range [F43]', () => {
  const maxMs = 30_000
  const delays = Array.from({ length: 1_000 }, () =>
    delayOf(backoff.exponential({ initialMs: 250, maxMs }), 20, Math.random),
  )
  expect(new Set(delays).size).toBeGreaterThan(990)
  // Each tenth has a hundred of them on average; fewer than forty or more than two hundred would be a wonder.
  for (let tenth = 0; tenth < 10; tenth++) {
    const inIt = delays.filter((ms) => Math.floor((ms / maxMs) * 10) === tenth).length
    expect(inIt).toBeGreaterThan(40)
    expect(inIt).toBeLessThan(200)
  }
})
