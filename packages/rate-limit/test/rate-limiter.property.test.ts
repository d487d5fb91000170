import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { RateLimiter } from '@bus/rate-limit'
import { SimulatedClock } from '@bus/test-support'

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const shape = fc.record({
  capacity: fc.integer({ min: 1, max: 8 }),
  refill: fc.integer({ min: 1, max: 8 }),
  intervalMs: fc.integer({ min: 1, max: 50 }),
})
const consumer = fc.record({
  startMs: fc.nat(200),
  cost: fc.nat(8),
  priority: fc.integer({ min: 0, max: 2 }),
  /** Gives up so long after it came. */
  patienceMs: fc.option(fc.nat(300), { nil: undefined }),
})

test('concurrent consumers lose and invent no token', async () => {
  await fc.assert(
    fc.asyncProperty(shape, fc.array(consumer, { maxLength: 25 }), async (options, consumers) => {
      const clock = new SimulatedClock()
      const limiter = new RateLimiter({ ...options, maxQueue: Infinity, clock })
      const { capacity, refill, intervalMs } = options
      let spent = 0
      let settled = 0
      const refusals = new Set<string>()
      const came: Promise<void>[] = []
      for (const { startMs, cost, priority, patienceMs } of consumers) {
        const run = async (): Promise<void> => {
          const stop = new AbortController()
          if (patienceMs !== undefined) clock.setTimeout(() => stop.abort(), patienceMs)
          try {
            await limiter.acquire(cost, { priority, signal: stop.signal })
            spent += cost
          } catch (error) {
            refusals.add((error as { readonly code: string }).code)
          } finally {
            settled++
          }
        }
        clock.setTimeout(() => came.push(run()), startMs)
      }
      for (let ms = 0; ms < 20_000 && (settled < consumers.length || clock.pending > 0); ms += 10) {
        clock.advance(10)
        await settle()
        // What was let through never exceeds what there was at the start and what came since.
        expect(spent * intervalMs).toBeLessThanOrEqual(capacity * intervalMs + clock.now() * refill)
        expect(limiter.tokens >= 0 && limiter.tokens <= capacity).toBe(true)
      }
      await Promise.all(came)
      expect(['rate-limited', 'aborted']).toEqual(expect.arrayContaining([...refusals]))
      // Nobody is forgotten, nothing is owed, and a full bucket comes back.
      expect([settled, limiter.waiting, clock.pending]).toEqual([consumers.length, 0, 0])
      clock.advance(Math.ceil((capacity * intervalMs) / refill))
      expect(limiter.tokens).toBe(capacity)
      expect(limiter.tryAcquire(capacity)).toBe(true)
    }),
    { numRuns: 60 },
  )
})

test('as long as somebody waits no token is lost: as much passes as the rate allows', async () => {
  await fc.assert(
    fc.asyncProperty(shape, fc.integer({ min: 1, max: 8 }), async (drawn, share) => {
      // Tokens that come at whole milliseconds: a timer cannot be more exact than that.
      const options = { ...drawn, refill: 1 }
      const cost = Math.min(share, options.capacity)
      const clock = new SimulatedClock()
      const limiter = new RateLimiter({ ...options, maxQueue: Infinity, clock })
      let spent = 0
      for (let i = 0; i < 60; i++) {
        limiter.acquire(cost).then(
          () => (spent += cost),
          () => {},
        )
      }
      for (let ms = 0; ms < 100; ms++) {
        clock.advance(1)
        await settle()
      }
      const { capacity, refill, intervalMs } = options
      const came = capacity + Math.floor((clock.now() * refill) / intervalMs)
      expect(spent).toBe(Math.min(60 * cost, came - (came % cost)))
      limiter.close()
    }),
    { numRuns: 30 },
  )
})
