import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConfigError, RateLimitError } from '@bus/core'
import { SimulatedClock, thrownBy } from '@bus/test-support'
import { TokenBucket, type TokenBucketOptions } from './token-bucket.ts'

function make<T>(options: Omit<TokenBucketOptions<T>, 'clock'>) {
  const clock = new SimulatedClock()
  return { clock, bucket: new TokenBucket<T>({ ...options, clock }) }
}

describe('a token bucket', () => {
  test('starts full', () => {
    const { bucket } = make({ capacity: 7 })
    expect(bucket.tokens).toBe(7)
  })

  test('is consumed by cost, and limits when it is empty', () => {
    const { bucket } = make({ capacity: 10 })
    expect([bucket.tryAcquire(4), bucket.tryAcquire(6), bucket.tryAcquire()]).toEqual([
      true,
      true,
      false,
    ])
    expect(bucket.tokens).toBe(0)
  })

  test('takes nothing when there is too little', () => {
    const { bucket } = make({ capacity: 5 })
    bucket.tryAcquire(3)
    expect(bucket.tryAcquire(3)).toBe(false)
    expect(bucket.tokens).toBe(2)
  })

  test('refills at its rate, evenly, without a timer', () => {
    const { bucket, clock } = make({ capacity: 10, refill: 4, intervalMs: 1_000 })
    bucket.tryAcquire(10)
    clock.advance(250)
    expect(bucket.tokens).toBe(1)
    clock.advance(750)
    expect(bucket.tokens).toBe(4)
    expect(clock.delays).toEqual([])
  })

  test('is not changed by being looked at', () => {
    const { bucket, clock } = make({ capacity: 10, refill: 1, intervalMs: 3_000 })
    bucket.tryAcquire(10)
    for (let i = 0; i < 3_000; i++) {
      clock.advance(1)
      bucket.delayMs()
    }
    expect(bucket.tryAcquire()).toBe(true)
  })

  test('is never above its capacity', () => {
    const { bucket, clock } = make({ capacity: 10, refill: 4, intervalMs: 1_000 })
    clock.advance(60_000)
    expect(bucket.tokens).toBe(10)
    bucket.refund(5)
    expect(bucket.tokens).toBe(10)
  })

  test('refills its capacity in a second unless told otherwise', () => {
    const { bucket, clock } = make({ capacity: 8 })
    bucket.tryAcquire(8)
    clock.advance(500)
    expect(bucket.tokens).toBe(4)
    clock.advance(500)
    expect(bucket.tokens).toBe(8)
  })

  test('says how long something has to wait, also behind others, and what it takes then', () => {
    const { bucket, clock } = make({ capacity: 10, refill: 2, intervalMs: 1_000 })
    expect(bucket.delayMs(10)).toBe(0)
    bucket.tryAcquire(10)
    expect(bucket.delayMs(1)).toBe(500)
    expect(bucket.delayMs(1, 4)).toBe(2_500)
    clock.advance(499)
    expect(bucket.tryAcquire(1)).toBe(false)
    clock.advance(1)
    expect(bucket.tryAcquire(1)).toBe(true)
  })

  test('what costs more than the capacity never comes to be', () => {
    const { bucket } = make({ capacity: 10 })
    expect(bucket.delayMs(11)).toBe(Infinity)
    expect(bucket.tryAcquire(11)).toBe(false)
    expect(bucket.tokens).toBe(10)
  })

  test('gets back what was taken in vain', () => {
    const { bucket } = make({ capacity: 10, refill: 0 })
    bucket.tryAcquire(6)
    bucket.refund(4)
    expect(bucket.tokens).toBe(8)
  })

  test('with a refill of zero gives what it has and then nothing, and says so', () => {
    const { bucket, clock } = make({ capacity: 2, refill: 0 })
    expect(bucket.tryAcquire(2)).toBe(true)
    clock.advance(1_000_000)
    expect(bucket.tokens).toBe(0)
    expect(bucket.tryAcquire(1)).toBe(false)
    expect(bucket.delayMs(1)).toBe(Infinity)
  })

  test('loses nothing to a clock that is set back', () => {
    let now = 5_000
    const clock = { now: () => now, setTimeout: () => ({}), clearTimeout: () => {} }
    const bucket = new TokenBucket({ capacity: 10, refill: 10, clock })
    bucket.tryAcquire(10)
    now = 0
    expect(bucket.tokens).toBe(0)
    bucket.refund(1)
    now = 5_000
    expect(bucket.tokens).toBe(1)
    now = 5_500
    expect(bucket.tokens).toBe(6)
  })

  test('never above the capacity nor below zero, and by the books, whatever is done with it', () => {
    const step = fc.oneof(
      fc.record({ op: fc.constant('take' as const), n: fc.nat(12) }),
      fc.record({ op: fc.constant('refund' as const), n: fc.nat(4) }),
      fc.record({ op: fc.constant('advance' as const), n: fc.nat(700) }),
    )
    const shape = fc.record({
      capacity: fc.integer({ min: 1, max: 10 }),
      refill: fc.nat(10),
      intervalMs: fc.integer({ min: 1, max: 500 }),
    })
    fc.assert(
      fc.property(shape, fc.array(step, { maxLength: 80 }), (options, steps) => {
        const { bucket, clock } = make(options)
        // In tokens times milliseconds, which are whole numbers.
        const most = options.capacity * options.intervalMs
        let credit = most
        for (const { op, n } of steps) {
          const price = n * options.intervalMs
          const isTaken = op === 'take' && bucket.tryAcquire(n)
          expect(isTaken).toBe(op === 'take' && price <= credit)
          if (isTaken) credit -= price
          if (op === 'refund') bucket.refund(n)
          if (op === 'refund') credit = Math.min(credit + price, most)
          if (op === 'advance') clock.advance(n)
          if (op === 'advance') credit = Math.min(credit + n * options.refill, most)
          expect(bucket.tokens).toBe(credit / options.intervalMs)
          expect(bucket.tokens >= 0 && bucket.tokens <= options.capacity).toBe(true)
        }
      }),
    )
  })
})

describe('the cost of an item', () => {
  test('is one without a function, else what the function says, also nothing', () => {
    expect(make({ capacity: 1 }).bucket.costOf('any')).toBe(1)
    const { bucket } = make<string>({ capacity: 1, cost: (item) => item.length })
    expect([bucket.costOf('abc'), bucket.costOf('')]).toEqual([3, 0])
  })

  test.each([
    ['NaN', NaN],
    ['less than nothing', -1],
    ['without end', Infinity],
    ['text', '5'],
    ['absent', undefined],
    ['a promise', Promise.resolve(1)],
  ])('that is %s is refused, with the reason', (_what, answer) => {
    const { bucket } = make({ capacity: 10, cost: () => answer as number })
    const error = thrownBy(() => bucket.costOf('item'))
    expect(error).toBeInstanceOf(RateLimitError)
    expect(error).toMatchObject({
      code: 'rate-limited',
      reason: 'invalid-cost',
      cost: NaN,
      retryAfterMs: Infinity,
      retryable: false,
      outcome: 'not-sent',
    })
    expect((error as Error).message).toContain('`cost(item)`')
    expect((error as Error).cause).toBeInstanceOf(ConfigError)
  })

  test('that cannot be told because the function throws is refused, with what it threw', () => {
    const cause = new Error('no such table')
    const cost = (): number => {
      throw cause
    }
    const error = thrownBy(() => make({ capacity: 10, cost }).bucket.costOf('item'))
    expect(error).toMatchObject({ reason: 'invalid-cost', cause })
  })
})

describe('what a bucket accepts', () => {
  test.each([
    ['capacity', {}],
    ['capacity', { capacity: 0 }],
    ['capacity', { capacity: -3 }],
    ['capacity', { capacity: Infinity }],
    ['refill', { capacity: 1, refill: -1 }],
    ['refill', { capacity: 1, refill: NaN }],
    ['intervalMs', { capacity: 1, intervalMs: 0 }],
    ['cost', { capacity: 1, cost: 5 }],
    ['clock', { capacity: 1, clock: {} }],
    ['refil', { capacity: 1, refil: 1 }],
  ])('refuses a wrong %s: %j', (path, options) => {
    const error = thrownBy(() => new TokenBucket(options as unknown as TokenBucketOptions))
    expect(error).toBeInstanceOf(ConfigError)
    expect(error).toMatchObject({ path })
  })

  test.each([-1, NaN, Infinity])('invents no token for a cost of %d', (cost) => {
    const { bucket } = make({ capacity: 5 })
    bucket.tryAcquire(3)
    expect(thrownBy(() => bucket.tryAcquire(cost))).toBeInstanceOf(ConfigError)
    expect(thrownBy(() => bucket.refund(cost))).toBeInstanceOf(ConfigError)
    expect(thrownBy(() => bucket.delayMs(cost))).toBeInstanceOf(ConfigError)
    expect(bucket.tokens).toBe(2)
  })
})
