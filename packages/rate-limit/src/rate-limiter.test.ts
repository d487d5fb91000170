import { describe, expect, test } from 'vitest'
import { AbortedError, ClosedError, ConfigError, RateLimitError } from '@bus/core'
import { SimulatedClock, listenersOf, thrownBy } from '@bus/test-support'
import { RateLimiter, type RateLimiterOptions } from './rate-limiter.ts'

function make<T = unknown>(options: Omit<RateLimiterOptions<T>, 'clock'>) {
  const clock = new SimulatedClock()
  return { clock, limiter: new RateLimiter<T>({ ...options, clock }) }
}

/** Lets promises settle that have nothing left to wait for. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Notes the names in the order in which their calls are let through. */
function acquireAll(limiter: RateLimiter, calls: readonly (readonly [string, number?, number?])[]) {
  const passed: string[] = []
  const refused: unknown[] = []
  for (const [name, cost = 1, priority = 0] of calls) {
    limiter.acquire(cost, { priority }).then(
      () => passed.push(name),
      (error: unknown) => refused.push(error),
    )
  }
  return { passed, refused }
}

describe('a rate limiter', () => {
  test('lets through at once what its tokens allow, and needs no timer for that', async () => {
    const { limiter, clock } = make({ capacity: 3 })
    const { passed } = acquireAll(limiter, [['a'], ['b', 2]])
    await settle()
    expect(passed).toEqual(['a', 'b'])
    expect(limiter.tokens).toBe(0)
    expect(clock.delays).toEqual([])
  })

  test('makes the rest wait and lets it through at its rate, and then has no timer', async () => {
    const { limiter, clock } = make({ capacity: 1, refill: 1, intervalMs: 100 })
    const { passed } = acquireAll(limiter, [['a'], ['b'], ['c']])
    clock.advance(99)
    await settle()
    expect(passed).toEqual(['a'])
    expect(clock.pending).toBe(1)
    clock.advance(1)
    await settle()
    expect(passed).toEqual(['a', 'b'])
    clock.advance(100)
    await settle()
    expect(passed).toEqual(['a', 'b', 'c'])
    expect(clock.pending).toBe(0)
  })

  test('the most urgent goes first, and among equals who came first', async () => {
    const { limiter, clock } = make({ capacity: 1, refill: 1, intervalMs: 10 })
    const { passed } = acquireAll(limiter, [
      ['first'],
      ['low 1', 1, -1],
      ['plain 1'],
      ['urgent 1', 1, 5],
      ['plain 2'],
      ['urgent 2', 1, 5],
      ['low 2', 1, -1],
    ])
    clock.advance(60)
    await settle()
    const expected = ['first', 'urgent 1', 'urgent 2', 'plain 1', 'plain 2', 'low 1', 'low 2']
    expect(passed).toEqual(expected)
  })

  test('nobody passes by the line, although there are tokens for it', async () => {
    const { limiter, clock } = make({ capacity: 5, refill: 5, intervalMs: 100 })
    const { passed } = acquireAll(limiter, [
      ['a', 2],
      ['large', 5],
      ['small', 1],
    ])
    expect(limiter.tokens).toBe(3)
    expect(limiter.tryAcquire(1)).toBe(false)
    clock.advance(40)
    await settle()
    expect(passed).toEqual(['a', 'large'])
    clock.advance(20)
    await settle()
    expect(passed).toEqual(['a', 'large', 'small'])
  })

  test('what costs nothing never waits', async () => {
    const { limiter } = make({ capacity: 1, refill: 1, intervalMs: 1_000 })
    const { passed } = acquireAll(limiter, [['a'], ['b'], ['free', 0]])
    await settle()
    expect(passed).toEqual(['a', 'free'])
    limiter.close()
  })

  test('an aborted wait gives its place up, and leaves no timer and no listener', async () => {
    const { limiter, clock } = make({ capacity: 1, refill: 1, intervalMs: 100 })
    const stop = new AbortController()
    await limiter.acquire()
    const waits = Array.from({ length: 20 }, () => limiter.acquire(1, { signal: stop.signal }))
    const { passed } = acquireAll(limiter, [['behind']])
    expect(listenersOf(stop.signal)).toBe(1)
    stop.abort(new Error('enough'))
    for (const wait of waits) {
      const error = await wait.catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(AbortedError)
      expect(error).toMatchObject({ cause: new Error('enough') })
    }
    expect(listenersOf(stop.signal)).toBe(0)
    expect(limiter.waiting).toBe(1)
    clock.advance(100)
    await settle()
    expect(passed).toEqual(['behind'])
    expect(clock.pending).toBe(0)
  })

  test('the first in the line that leaves makes room for a cheaper one at once', async () => {
    const { limiter } = make({ capacity: 5, refill: 1, intervalMs: 1_000 })
    await limiter.acquire(2)
    const stop = new AbortController()
    const large = limiter.acquire(5, { signal: stop.signal })
    const { passed } = acquireAll(limiter, [['small', 3]])
    stop.abort()
    await expect(large).rejects.toBeInstanceOf(AbortedError)
    await settle()
    expect(passed).toEqual(['small'])
  })

  test('a signal that is aborted already takes nothing', async () => {
    const { limiter } = make({ capacity: 1 })
    await expect(limiter.acquire(1, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    })
    expect(limiter.tokens).toBe(1)
  })

  test('a signal of a call that was let through is not listened to any more', async () => {
    const { limiter, clock } = make({ capacity: 1, refill: 1, intervalMs: 10 })
    const stop = new AbortController()
    await limiter.acquire(1, { signal: stop.signal })
    const second = limiter.acquire(1, { signal: stop.signal })
    clock.advance(10)
    await second
    expect(listenersOf(stop.signal)).toBe(0)
  })

  test('when it closes, whoever waits and whoever comes is told, and no timer is left', async () => {
    const { limiter, clock } = make({ capacity: 1 })
    const { refused } = acquireAll(limiter, [['a'], ['b'], ['c']])
    limiter.close()
    limiter.close(new ClosedError('again'))
    await settle()
    expect(refused.map((error) => (error as Error).message)).toEqual([
      'The rate limiter is closed',
      'The rate limiter is closed',
    ])
    expect(limiter.tryAcquire(0)).toBe(false)
    await expect(limiter.acquire()).rejects.toBeInstanceOf(ClosedError)
    expect(clock.pending).toBe(0)
    expect(limiter.waiting).toBe(0)
  })
})

describe('what cannot be let through', () => {
  test('a cost above the capacity is refused at once, also where others wait', async () => {
    const { limiter } = make({ capacity: 5 })
    acquireAll(limiter, [
      ['a', 5],
      ['b', 5],
    ])
    await expect(limiter.acquire(6)).rejects.toMatchObject({
      code: 'rate-limited',
      reason: 'too-expensive',
      cost: 6,
      retryAfterMs: Infinity,
      retryable: false,
      outcome: 'not-sent',
    })
    expect(thrownBy(() => limiter.tryAcquire(6))).toBeInstanceOf(RateLimitError)
    expect(limiter.waiting).toBe(1)
    limiter.close()
  })

  test('with a refill of zero nobody waits for ever', async () => {
    const { limiter, clock } = make({ capacity: 2, refill: 0 })
    const { passed, refused } = acquireAll(limiter, [['a'], ['b'], ['c']])
    await settle()
    expect(passed).toEqual(['a', 'b'])
    expect(refused).toMatchObject([{ reason: 'limited', retryAfterMs: Infinity }])
    expect(clock.delays).toEqual([])
  })

  test.each([-1, NaN, Infinity])('a cost of %d is a mistake of the caller', async (cost) => {
    const { limiter } = make({ capacity: 5 })
    await expect(limiter.acquire(cost)).rejects.toBeInstanceOf(ConfigError)
    expect(thrownBy(() => limiter.tryAcquire(cost))).toBeInstanceOf(ConfigError)
    await expect(limiter.acquire(1, { priority: NaN })).rejects.toMatchObject({ path: 'priority' })
    expect(limiter.tokens).toBe(5)
  })
})

describe('at the limit', () => {
  test('reject refuses at once and says when it could pass', async () => {
    const { limiter, clock } = make({ capacity: 2, refill: 1, intervalMs: 100, onLimit: 'reject' })
    await limiter.acquire(2)
    await expect(limiter.acquire(1)).rejects.toMatchObject({
      reason: 'limited',
      cost: 1,
      retryAfterMs: 100,
      retryable: true,
    })
    clock.advance(100)
    await limiter.acquire(1)
    expect(clock.delays).toEqual([])
  })

  test('a full line refuses one more, and says when there could be a token for it', async () => {
    const { limiter, clock } = make({ capacity: 1, refill: 1, intervalMs: 100, maxQueue: 2 })
    const { passed, refused } = acquireAll(limiter, [['a'], ['b'], ['c'], ['d']])
    await settle()
    expect(refused).toMatchObject([{ reason: 'queue-full', retryAfterMs: 300, retryable: true }])
    clock.advance(100)
    acquireAll(limiter, [['e']])
    clock.advance(200)
    await settle()
    expect(passed).toEqual(['a', 'b', 'c'])
    expect(limiter.waiting).toBe(0)
  })

  test('a hundred may wait unless told otherwise', async () => {
    const { limiter } = make({ capacity: 1 })
    const calls = Array.from({ length: 102 }, (_, i) => [String(i)] as const)
    const { refused } = acquireAll(limiter, calls)
    await settle()
    expect([limiter.waiting, refused.length]).toEqual([100, 1])
    limiter.close()
  })
})

describe('how it is doing', () => {
  test('the pressure grows with the line', () => {
    const { limiter } = make({ capacity: 1, maxQueue: 4 })
    const seen = [limiter.pressure]
    limiter.tryAcquire()
    for (let i = 0; i < 4; i++) {
      limiter.acquire().catch(() => {})
      seen.push(limiter.pressure)
    }
    expect(seen).toEqual(['none', 'low', 'medium', 'high', 'high'])
    limiter.close()
    expect(limiter.pressure).toBe('none')
  })

  test('where nothing may wait, it grows as the bucket empties', () => {
    const { limiter } = make({ capacity: 4, onLimit: 'reject' })
    const seen = Array.from({ length: 5 }, () => {
      const { pressure } = limiter
      limiter.tryAcquire()
      return pressure
    })
    expect(seen).toEqual(['none', 'low', 'medium', 'high', 'high'])
  })

  test('the suggested delay is the time until one more gets through', async () => {
    const { limiter, clock } = make({ capacity: 2, refill: 1, intervalMs: 100 })
    expect(limiter.suggestedDelayMs).toBe(0)
    const { passed } = acquireAll(limiter, [
      ['a', 2],
      ['b', 2],
    ])
    const { suggestedDelayMs } = limiter
    expect(suggestedDelayMs).toBe(300)
    const late = acquireAll(limiter, [['late']])
    clock.advance(suggestedDelayMs - 1)
    await settle()
    expect([...passed, ...late.passed]).toEqual(['a', 'b'])
    clock.advance(1)
    await settle()
    expect(late.passed).toEqual(['late'])
  })

  test('fractions leave no crumbs: when nobody waits, nothing is owed', async () => {
    const { limiter, clock } = make({ capacity: 0.3, refill: 0.3, intervalMs: 1_000 })
    await limiter.acquire(0.3)
    acquireAll(limiter, [
      ['a', 0.1],
      ['b', 0.2],
      ['c', 0.3],
    ])
    clock.advance(10_000)
    await settle()
    expect(limiter.waiting).toBe(0)
    expect(limiter.suggestedDelayMs).toBeLessThanOrEqual(0.3 * 10_000)
    clock.advance(10_000)
    expect(limiter.tryAcquire(0.3)).toBe(true)
  })
})

describe('the modes for tests', () => {
  test('always-allow lets everything through and takes nothing', async () => {
    const { limiter } = make({ capacity: 1, mode: 'always-allow' })
    const { passed } = acquireAll(limiter, [['a'], ['b', 50], ['c']])
    await settle()
    expect(passed).toEqual(['a', 'b', 'c'])
    expect(limiter.tryAcquire(99)).toBe(true)
    expect([limiter.tokens, limiter.suggestedDelayMs]).toEqual([1, 0])
  })

  test('always-queue makes everything wait for the next interval, in its order, also where nothing should', async () => {
    const { limiter, clock } = make({
      capacity: 5,
      intervalMs: 100,
      mode: 'always-queue',
      onLimit: 'reject',
    })
    const { passed } = acquireAll(limiter, [['a'], ['free', 0], ['urgent', 1, 1]])
    expect([limiter.waiting, limiter.suggestedDelayMs]).toEqual([3, 100])
    expect(limiter.tryAcquire()).toBe(false)
    clock.advance(60)
    const later = acquireAll(limiter, [['later']])
    clock.advance(39)
    await settle()
    expect(passed).toEqual([])
    clock.advance(1)
    await settle()
    expect([...passed, ...later.passed]).toEqual(['urgent', 'a', 'free', 'later'])
    expect(clock.pending).toBe(0)
  })

  test('always-queue still goes by the tokens', async () => {
    const { limiter, clock } = make({
      capacity: 1,
      refill: 1,
      intervalMs: 10,
      mode: 'always-queue',
    })
    const { passed } = acquireAll(limiter, [['a'], ['b']])
    clock.advance(10)
    await settle()
    expect(passed).toEqual(['a'])
    clock.advance(10)
    await settle()
    expect(passed).toEqual(['a', 'b'])
  })

  test('always-reject refuses everything', async () => {
    const { limiter } = make({ capacity: 5, intervalMs: 70, mode: 'always-reject' })
    const { refused } = acquireAll(limiter, [['a'], ['b']])
    await settle()
    expect(refused).toMatchObject([{ reason: 'limited', retryAfterMs: 70 }, {}])
    expect([limiter.tryAcquire(), limiter.tokens]).toEqual([false, 5])
  })
})

describe('a ticket', () => {
  test('has the cost and the priority that the functions say', () => {
    const { limiter } = make<string>({
      capacity: 9,
      cost: (item) => item.length,
      priority: (item) => (item === 'cancel' ? 1 : 0),
    })
    expect(limiter.admit('cancel')).toMatchObject({ cost: 6, priority: 1, isQueued: false })
    expect(limiter.admit('order')).toMatchObject({ cost: 5, priority: 0, isQueued: true })
  })

  test('is refused when a function says something that is no number', () => {
    const rubbish = 'soon' as unknown as number
    const { limiter: byCost } = make({ capacity: 1, cost: () => rubbish })
    const { limiter: byPriority } = make({ capacity: 1, priority: () => rubbish })
    expect(thrownBy(() => byCost.admit('item'))).toMatchObject({ reason: 'invalid-cost' })
    expect(thrownBy(() => byPriority.admit('item'))).toMatchObject({ reason: 'invalid-cost' })
    expect(byCost.tokens).toBe(1)
  })

  test('counts against those that come later although it is not redeemed yet', () => {
    const { limiter } = make({ capacity: 2, onLimit: 'reject' })
    const first = limiter.admit('a')
    limiter.admit('b')
    expect(thrownBy(() => limiter.admit('c'))).toBeInstanceOf(RateLimitError)
    first.cancel()
    expect(limiter.admit('c').isQueued).toBe(false)
  })

  test('is paid once, however often it is redeemed, until it is spent', () => {
    const { limiter } = make({ capacity: 5, refill: 0 })
    const ticket = limiter.admit('a')
    expect([ticket.redeem(() => {}), ticket.redeem(() => {}), limiter.tokens]).toEqual([
      true,
      true,
      4,
    ])
    ticket.spend()
    expect([ticket.redeem(() => {}), limiter.tokens]).toEqual([true, 3])
  })

  test('that waits tells when it is paid, once', () => {
    const { limiter, clock } = make({ capacity: 1, refill: 1, intervalMs: 10 })
    limiter.tryAcquire()
    const ticket = limiter.admit('a')
    let told = 0
    expect(ticket.redeem(() => told++)).toBe(false)
    expect(ticket.redeem(() => told++)).toBe(false)
    clock.advance(10)
    expect(told).toBe(1)
    expect(ticket.redeem(() => told++)).toBe(true)
    expect(clock.pending).toBe(0)
  })

  test('gives back what it did not spend, and nothing twice', () => {
    const { limiter } = make({ capacity: 3, refill: 0 })
    const unspent = limiter.admit('a')
    const spent = limiter.admit('b')
    unspent.redeem(() => {})
    spent.redeem(() => {})
    spent.spend()
    expect(limiter.tokens).toBe(1)
    for (const ticket of [unspent, unspent, spent]) ticket.cancel()
    expect(limiter.tokens).toBe(2)
  })

  test('that yields gives its tokens to the next, and keeps its place', () => {
    const { limiter, clock } = make({ capacity: 1, refill: 1, intervalMs: 10 })
    const early = limiter.admit('a')
    expect(early.redeem(() => {})).toBe(true)
    early.yield()
    expect([limiter.tokens, limiter.waiting]).toEqual([1, 1])
    const late = limiter.admit('b')
    expect(late.redeem(() => {})).toBe(true)
    late.spend()
    const told: string[] = []
    expect(limiter.admit('c').redeem(() => told.push('last'))).toBe(false)
    expect(early.redeem(() => told.push('early'))).toBe(false)
    clock.advance(10)
    clock.advance(10)
    expect(told).toEqual(['early', 'last'])
    expect([limiter.waiting, clock.pending]).toEqual([0, 0])
  })

  test('that yields while it waits is not told of tokens until it asks again', () => {
    const { limiter, clock } = make({ capacity: 1, refill: 1, intervalMs: 10 })
    limiter.tryAcquire()
    const ticket = limiter.admit('a')
    let told = 0
    ticket.redeem(() => told++)
    ticket.yield()
    ticket.yield()
    expect([clock.pending, limiter.waiting]).toEqual([0, 1])
    clock.advance(10)
    expect([told, ticket.redeem(() => told++), limiter.tokens]).toEqual([0, true, 0])
  })

  test('whose limiter is closed is never paid', () => {
    const { limiter, clock } = make({ capacity: 5 })
    const ticket = limiter.admit('a')
    limiter.close()
    expect(ticket.redeem(() => {})).toBe(false)
    expect([limiter.tokens, clock.pending]).toEqual([5, 0])
  })
})

test.each([
  ['capacity', {}],
  ['onLimit', { capacity: 1, onLimit: 'wait' }],
  ['maxQueue', { capacity: 1, maxQueue: 0 }],
  ['priority', { capacity: 1, priority: 3 }],
  ['mode', { capacity: 1, mode: 'never' }],
  ['refill', { capacity: 1, refill: -5 }],
  ['clock', { capacity: 1, clock: 5 }],
  ['max', { capacity: 1, max: 5 }],
])('refuses a wrong %s: %j', (path, options) => {
  const error = thrownBy(() => new RateLimiter(options as unknown as RateLimiterOptions))
  expect(error).toBeInstanceOf(ConfigError)
  expect(error).toMatchObject({ path })
})
