import { expect, test } from 'vitest'
import { costs } from './costs.ts'
import { RateLimiter, type RateLimiterOptions } from './rate-limiter.ts'

test('options of a rate limit that are undefined are the same as absent', () => {
  const absent: Required<RateLimiterOptions> = {
    capacity: 5,
    refill: undefined,
    intervalMs: undefined,
    cost: undefined,
    clock: undefined,
    onLimit: undefined,
    maxQueue: undefined,
    priority: undefined,
    mode: undefined,
  }
  const [one, other] = [new RateLimiter(absent), new RateLimiter({ capacity: 5 })]
  for (let n = 0; n < 5; n++) expect([one.tryAcquire(), other.tryAcquire()]).toEqual([true, true])
  expect([one.tryAcquire(), other.tryAcquire()]).toEqual([false, false])
  expect(one.hasPriorities).toBe(other.hasPriorities)
  expect(costs.map({ a: 2 }, { defaultCost: undefined })({ type: 'b' })).toBe(
    costs.map({ a: 2 })({ type: 'b' }),
  )
})
