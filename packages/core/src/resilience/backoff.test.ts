import { array, assert, double, integer, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_TIMEOUT_MS } from '../contract/clock.ts'
import { ConfigError } from '../contract/errors.ts'
import { backoff, delayOf, type BackoffPolicy } from './backoff.ts'

const never = (): number => {
  throw new Error('asked for a random number')
}

const delays = (policy: BackoffPolicy, count: number): number[] =>
  Array.from({ length: count }, (_, i) => policy(i + 1, never))

const attempts = integer({ min: 0, max: 10_000 })
const share = double({ min: 0, max: 1, noNaN: true })
const draw = double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const ms = double({ min: 0, max: MAX_TIMEOUT_MS, noNaN: true })

const cappedAt500 = (initialMs: number): BackoffPolicy =>
  backoff.exponential({ initialMs, maxMs: 500, jitter: 'none' })

const delayed = (jitter: 'full' | 'equal' | number, random: number): number =>
  backoff.exponential({ initialMs: 1_000, jitter })(1, () => random)

describe('exponential', () => {
  test('starts at the base, doubles, and stops growing at the cap', () => {
    const policy = backoff.exponential({ initialMs: 100, maxMs: 1_000, jitter: 'none' })
    expect(delays(policy, 6)).toEqual([100, 200, 400, 800, 1_000, 1_000])
  })

  test('grows by the factor that was given', () => {
    const policy = backoff.exponential({ initialMs: 10, factor: 3, jitter: 'none' })
    expect(delays(policy, 3)).toEqual([10, 30, 90])
  })

  test('without options it is 100 ms, doubling, at most 30 s, drawn from the whole range', () => {
    const policy = backoff.exponential()
    expect(policy(1, () => 0.5)).toBe(50)
    expect(policy(2, () => 0.5)).toBe(100)
    expect(policy(100, () => 0.5)).toBe(15_000)
    expect(policy(100, () => 0)).toBe(0)
  })

  test('attempt 0 waits like the first, attempt 10,000 like the cap, also from a base of 0 or 1', () => {
    const of = cappedAt500
    expect([of(1)(0, never), of(1)(1, never), of(1)(10_000, never)]).toEqual([1, 1, 500])
    expect([of(0)(0, never), of(0)(10_000, never)]).toEqual([0, 0])
  })

  test('no delay is negative or above the cap, whatever the attempt, the base, the factor and the draw', () => {
    assert(
      property(
        attempts,
        ms,
        ms,
        double({ min: 1, max: 1e9, noNaN: true }),
        share,
        draw,
        (attempt, initialMs, maxMs, factor, jitter, random) => {
          const policy = backoff.exponential({ initialMs, maxMs, factor, jitter })
          const delay = policy(attempt, () => random)
          expect(delay).toBeGreaterThanOrEqual(0)
          expect(delay).toBeLessThanOrEqual(maxMs)
        },
      ),
    )
  })
})

describe('linear and constant', () => {
  test('linear grows by exactly the step up to the cap', () => {
    const policy = backoff.linear({ initialMs: 100, stepMs: 50, maxMs: 230 })
    expect(delays(policy, 5)).toEqual([100, 150, 200, 230, 230])
  })

  test('a step that is not given is the first delay', () => {
    expect(delays(backoff.linear({ initialMs: 20, maxMs: 1_000 }), 3)).toEqual([20, 40, 60])
  })

  test('linear draws jitter where `jitter` is set', () => {
    const policy = backoff.linear({ initialMs: 100, maxMs: 100, jitter: 'equal' })
    expect(policy(1, () => 0)).toBe(50)
  })

  test('constant is the same each time', () => {
    expect(delays(backoff.constant({ delayMs: 70 }), 3)).toEqual([70, 70, 70])
    expect(backoff.constant({ delayMs: 70 })(10_000, never)).toBe(70)
  })
})

describe('jitter', () => {
  test.each([
    ['full', 0, 0],
    ['full', 0.25, 250],
    ['equal', 0, 500],
    ['equal', 0.5, 750],
    [0.2, 0, 800],
    [0.2, 0.5, 900],
    [0, 0.5, 1_000],
    [1, 0.5, 500],
  ] as const)('%s with a draw of %d gives %d of 1,000 ms', (jitter, random, delay) => {
    expect(delayed(jitter, random)).toBeCloseTo(delay, 9)
  })

  test('stays within the declared bounds over 1,000 draws, is never negative, and repeats with its seed', () => {
    assert(
      property(share, array(draw, { minLength: 50, maxLength: 50 }), (jitter, draws) => {
        const run = (): number[] => draws.map((d) => delayed(jitter, d))
        for (const delay of run()) {
          expect(delay).toBeGreaterThanOrEqual(Math.max(0, 1_000 * (1 - jitter) - 1e-9))
          expect(delay).toBeLessThanOrEqual(1_000)
        }
        expect(run()).toEqual(run())
      }),
      { numRuns: 20 },
    )
  })

  test('is drawn after the cap, so that late attempts of many clients spread below it', () => {
    const policy = backoff.exponential({ initialMs: 100, maxMs: 1_000 })
    const late = Array.from({ length: 1_000 }, () => policy(50, Math.random))
    expect(Math.min(...late)).toBeLessThan(200)
    expect(Math.max(...late)).toBeGreaterThan(800)
    expect(new Set(late).size).toBeGreaterThan(900)
  })
})

describe('options', () => {
  test.each([
    ['delayMs', () => backoff.constant({ delayMs: Number.NaN })],
    ['delayMs', () => backoff.constant({ delayMs: -1 })],
    ['delayMs', () => backoff.constant({ delayMs: 2 ** 31 })],
    ['initialMs', () => backoff.linear({ initialMs: Infinity, maxMs: 1 })],
    ['stepMs', () => backoff.linear({ initialMs: 1, stepMs: -1, maxMs: 1 })],
    ['maxMs', () => backoff.linear({ initialMs: 1, maxMs: Number.NaN })],
    ['initialMs', () => backoff.exponential({ initialMs: -1 })],
    ['maxMs', () => backoff.exponential({ maxMs: 2 ** 31 })],
    ['factor', () => backoff.exponential({ factor: 0.5 })],
    ['factor', () => backoff.exponential({ factor: Number.NaN })],
    ['jitter', () => backoff.exponential({ jitter: 1.5 })],
    ['jitter', () => backoff.exponential({ jitter: Number.NaN })],
    ['jitter', () => backoff.exponential(JSON.parse('{"jitter":"some"}') as object)],
    ['jiter', () => backoff.exponential(JSON.parse('{"jiter":"none"}') as object)],
    ['delayMs', () => backoff.constant(JSON.parse('{}') as { delayMs: number })],
  ])('%s of another form is refused by its name', (path, make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'config', path }))
    expect(make).toThrow(ConfigError)
  })
})

describe('delayOf', () => {
  test.each([
    [-5, 0],
    [Infinity, MAX_TIMEOUT_MS],
    [-Infinity, 0],
    [2 ** 31, MAX_TIMEOUT_MS],
    [12.5, 12.5],
  ])('a policy that says %d waits %d ms', (said, delay) => {
    expect(delayOf(() => said, 1, never)).toBe(delay)
  })

  test('a policy that does not answer with a number does not set the pace', () => {
    const broken = (() => 'soon') as unknown as BackoffPolicy
    expect(delayOf(broken, 3, () => 0.5)).toBe(200)
    expect(
      delayOf(
        () => Number.NaN,
        3,
        () => 0.5,
      ),
    ).toBe(200)
  })

  test('a policy of one’s own sees the attempt and the source of random numbers', () => {
    expect(
      delayOf(
        (attempt, random) => attempt * 100 + random(),
        7,
        () => 0.5,
      ),
    ).toBe(700.5)
  })
})
