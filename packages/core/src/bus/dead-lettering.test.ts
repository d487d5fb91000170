import { describe, expect, test, vi } from 'vitest'
import { setUp } from '../../test/support/fake-subscription.ts'
import { expectNoUnhandledRejection, stateOf, until } from '@bus/test-support'
import type { DeadLetterPolicy, Handler } from '../contract/subscriber.ts'
import type { Undeliverable } from '../contract/transport.ts'
import type { SubscriptionHost } from './handler-runner.ts'

expectNoUnhandledRejection()

const failing = (): ReturnType<typeof vi.fn<Handler>> =>
  vi.fn<Handler>(() => {
    throw new Error('handler')
  })

function world(deadLetter: DeadLetterPolicy, host: Partial<SubscriptionHost> = {}) {
  const handler = failing()
  return { handler, ...setUp(handler, { errorPolicy: { deadLetter } }, host) }
}

/** Refuses as often as it is told. */
function refusing(times: number) {
  const letters: Undeliverable[] = []
  const take = (letter: Undeliverable): boolean => letters.push(letter) > times
  return { letters, host: { giveUp: take, store: take } }
}

describe('a dead letter that cannot be stored', () => {
  test('log: settles the event, which is not handled again', () => {
    const { host } = refusing(Infinity)
    const { deliver, feed, handler, subscription } = world({ fallback: 'log' }, host)
    deliver()
    expect(feed.settled).toEqual([0])
    expect(handler).toHaveBeenCalledTimes(1)
    expect(subscription.stats().deadLettered).toBe(0)
  })

  test('keep: leaves the event unsettled, as without a policy', () => {
    const { host } = refusing(Infinity)
    const { deliver, feed } = world({ fallback: 'keep' }, host)
    deliver()
    deliver()
    expect(feed.settled).toEqual([])
  })

  test('fail: ends the subscription with the error of the handler, and leaves the event unsettled', async () => {
    const { host } = refusing(Infinity)
    const { deliver, feed, subscription, handler } = world({ fallback: 'fail' }, host)
    deliver()
    await expect(subscription.closed).rejects.toMatchObject({ cause: { message: 'handler' } })
    expect(feed.settled).toEqual([])
    expect(handler).toHaveBeenCalledTimes(1)
  })

  test('retry: stores it again with the delays of the policy, and does not run the handler again', async () => {
    const { host, letters } = refusing(2)
    const retry = { attempts: 4, backoff: (n: number): number => n * 100 }
    const { deliver, feed, handler, clock, subscription } = world(
      { fallback: 'retry', retry },
      host,
    )
    deliver()
    for (const [ms, tried] of [
      [99, 1],
      [1, 2],
      [199, 2],
      [1, 3],
    ] as const) {
      clock.advance(ms)
      await stateOf(Promise.resolve())
      expect(letters).toHaveLength(tried)
    }
    await until(() => feed.settled.length === 1)
    expect(handler).toHaveBeenCalledTimes(1)
    expect(new Set(letters).size).toBe(1)
    expect(subscription.stats()).toMatchObject({ failed: 1, retried: 0, deadLettered: 1 })
  })

  test('retry: keeps the event once the attempts are spent', async () => {
    const { host, letters } = refusing(Infinity)
    const retry = { attempts: 3, backoff: (): number => 0 }
    const { deliver, feed, clock } = world({ fallback: 'retry', retry }, host)
    deliver()
    for (let n = 0; n < 5; n++) {
      clock.advance(1)
      await stateOf(Promise.resolve())
    }
    expect(letters).toHaveLength(3)
    expect(feed.settled).toEqual([])
  })

  test('retry: three further attempts where the policy does not say how many', async () => {
    const { host, letters } = refusing(Infinity)
    const { deliver, clock } = world({ fallback: 'retry' }, host)
    deliver()
    for (let n = 0; n < 10; n++) {
      clock.advance(10_000)
      await stateOf(Promise.resolve())
    }
    expect(letters).toHaveLength(4)
  })

  test('retry: keeps its handler occupied, so that the order stays, until the subscription ends', async () => {
    const { host } = refusing(Infinity)
    const retry = { attempts: Infinity, backoff: (): number => 1_000 }
    const { deliver, feed, handler, clock, subscription } = world(
      { fallback: 'retry', retry },
      host,
    )
    deliver()
    deliver()
    clock.advance(5_000)
    await stateOf(Promise.resolve())
    expect(handler).toHaveBeenCalledTimes(1)
    await subscription.unsubscribe()
    expect(clock.pending).toBe(0)
    expect(feed.settled).toEqual([1])
  })
})

describe('a delivery of its own', () => {
  test('takes the letter instead of the bus, which only reports it', async () => {
    const letters: Undeliverable[] = []
    const giveUp = vi.fn(() => true)
    const { deliver, feed, lost, subscription } = world(
      { deliver: (letter) => void letters.push(letter) },
      { giveUp },
    )
    deliver(7)
    await until(() => feed.settled.length === 1)
    expect(letters).toMatchObject([{ reason: 'handler', attempts: 1, event: { payload: 7 } }])
    expect(lost).toEqual(letters)
    expect(giveUp).not.toHaveBeenCalled()
    expect(subscription.stats().deadLettered).toBe(1)
  })

  test('is used where the bus has no dead letters', async () => {
    const letters: Undeliverable[] = []
    const { deliver, feed } = world(
      { deliver: (letter) => void letters.push(letter) },
      { hasDeadLetters: false },
    )
    deliver()
    await until(() => feed.settled.length === 1)
    expect(letters).toHaveLength(1)
  })

  test('reports each failure, and is made again by fallback retry', async () => {
    const deliver = vi.fn<() => Promise<void>>()
    deliver.mockRejectedValueOnce(new Error('first')).mockImplementationOnce(() => {
      throw new Error('second')
    })
    deliver.mockResolvedValue()
    const retry = { attempts: 6, backoff: (): number => 0 }
    const given = world({ deliver, fallback: 'retry', retry })
    given.deliver()
    await until(() => {
      given.clock.advance(1)
      return given.feed.settled.length === 1
    })
    expect(deliver).toHaveBeenCalledTimes(3)
    expect(given.errors.map(({ message }) => message)).toEqual(['handler', 'first', 'second'])
    expect(given.handler).toHaveBeenCalledTimes(1)
    expect(given.lost).toHaveLength(1)
  })

  test('that fails leaves the event unsettled by default', async () => {
    const given = world({ deliver: () => Promise.reject(new Error('no')) })
    given.deliver()
    await until(() => given.errors.length === 2)
    await stateOf(Promise.resolve())
    expect(given.feed.settled).toEqual([])
  })

  test('also takes what retries could not handle', async () => {
    const letters: Undeliverable[] = []
    const handler = failing()
    const { deliver, feed, clock } = setUp(handler, {
      errorPolicy: {
        strategy: 'retry',
        retry: { attempts: 3, backoff: () => 0 },
        deadLetter: { deliver: (letter) => void letters.push(letter) },
      },
    })
    deliver()
    await until(() => {
      clock.advance(1)
      return feed.settled.length === 1
    })
    expect(handler).toHaveBeenCalledTimes(3)
    expect(letters).toMatchObject([{ attempts: 3 }])
  })
})
