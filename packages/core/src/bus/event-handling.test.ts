import { describe, expect, test, vi } from 'vitest'
import { manual, setUp } from '../../test/support/fake-subscription.ts'
import { expectNoUnhandledRejection, stateOf, until } from '@bus/test-support'
import type { Handler } from '../contract/subscriber.ts'

expectNoUnhandledRejection()

describe('failing handlers', () => {
  const reject = { then: (_: unknown, fail: (e: Error) => void) => fail(new Error('thenable')) }
  const failures: readonly [string, Handler, string][] = [
    [
      'throws',
      () => {
        throw new Error('sync')
      },
      'sync',
    ],
    ['rejects', () => Promise.reject(new Error('async')), 'async'],
    ['returns a thenable that rejects', () => reject as unknown as Promise<void>, 'thenable'],
    // oxlint-disable-next-line typescript/only-throw-error -- what others may do
    [
      'throws undefined',
      () => {
        throw undefined
      },
      'Something was thrown that is not an error: `undefined` (undefined)',
    ],
  ]

  test.each(failures)(
    'a handler that %s is reported and dead-lettered, and the next event is handled',
    async (_what, fail, message) => {
      const { subscription, deliver, feed, lost, errors } = setUp((event, context) =>
        event.payload === 0 ? fail(event, context) : undefined,
      )
      deliver(0)
      deliver(1)
      await until(() => feed.settled.length === 2)
      expect(errors.map((error) => error.message)).toEqual([message])
      expect(lost).toMatchObject([{ reason: 'handler', attempts: 1, event: { payload: 0 } }])
      expect(subscription.stats()).toMatchObject({ handled: 1, failed: 1, deadLettered: 1 })
    },
  )

  test('does not settle an event that the dead letters refuse', () => {
    const { deliver, feed, subscription } = setUp(
      () => {
        throw new Error('no')
      },
      {},
      { giveUp: () => false },
    )
    deliver()
    expect(feed.settled).toEqual([])
    expect(subscription.stats().deadLettered).toBe(0)
  })

  test('drop: counts it, reports it, settles it and goes on', () => {
    const { deliver, feed, lost, errors, subscription } = setUp(
      () => {
        throw new Error('no')
      },
      { errorPolicy: { strategy: 'drop' } },
    )
    deliver()
    deliver()
    expect([lost.length, errors.length, feed.settled.length]).toEqual([0, 2, 2])
    expect(subscription.stats().consecutiveErrors).toBe(2)
  })

  test('fail: stops with the error, names what waited, and settles it all, so that the other subscriptions go on', async () => {
    const cause = new Error('no')
    const { handler, calls } = manual()
    const { subscription, deliver, feed, lost, errors } = setUp(handler, {
      errorPolicy: { strategy: 'fail' },
    })
    deliver(0)
    deliver(1)
    calls[0]?.reject(cause)
    await expect(subscription.closed).rejects.toMatchObject({ code: 'handler', cause })
    expect(feed.hasEnded).toBe(true)
    expect(feed.settled.toSorted((a, b) => a - b)).toEqual([0, 1])
    expect(lost).toMatchObject([{ reason: 'closed', event: { payload: 1 } }])
    expect(errors).toHaveLength(1)
    expect(calls).toHaveLength(1)
  })

  test('fail: does not settle what waited and what the dead letters refused', async () => {
    const { handler, calls } = manual()
    const { subscription, deliver, feed } = setUp(
      handler,
      { errorPolicy: { strategy: 'fail' } },
      { giveUp: () => false },
    )
    deliver(0)
    deliver(1)
    calls[0]?.reject(new Error('no'))
    await expect(subscription.closed).rejects.toMatchObject({ code: 'handler' })
    expect(feed.settled).toEqual([0])
  })

  test('retry: tries in place with the delays of the policy, then dead-letters', async () => {
    const attempts: number[] = []
    const { subscription, deliver, clock, lost, feed } = setUp(
      (event, { attempt }) => {
        if (event.payload === 1) return
        attempts.push(attempt)
        throw new Error('no')
      },
      { errorPolicy: { strategy: 'retry', retry: { attempts: 3, backoff: (n) => n * 100 } } },
    )
    deliver(0)
    deliver(1)
    expect(attempts).toEqual([1])
    for (const [ms, tried] of [
      [99, 1],
      [1, 2],
      [199, 2],
      [1, 3],
    ] as const) {
      clock.advance(ms)
      await stateOf(Promise.resolve())
      expect(attempts).toHaveLength(tried)
    }
    await until(() => feed.settled.length === 2)
    expect(feed.settled).toEqual([0, 1])
    expect(attempts).toEqual([1, 2, 3])
    expect(lost).toMatchObject([{ reason: 'handler', attempts: 3 }])
    expect(subscription.stats()).toMatchObject({
      handled: 1,
      failed: 3,
      retried: 2,
      deadLettered: 1,
    })
  })

  test('an error that says it is not retryable is not tried again', () => {
    const fail = vi.fn(() => {
      throw Object.assign(new Error('no'), { retryable: false })
    })
    const { deliver, lost } = setUp(fail, {
      errorPolicy: { strategy: 'retry', retry: { attempts: 6 } },
    })
    deliver()
    expect(fail).toHaveBeenCalledTimes(1)
    expect(lost).toHaveLength(1)
  })

  test('a success resets the consecutive errors', () => {
    const { subscription, deliver } = setUp((event) => {
      if (event.payload !== 2) throw new Error('no')
    })
    deliver(0)
    deliver(1)
    expect(subscription.stats().consecutiveErrors).toBe(2)
    deliver(2)
    expect(subscription.stats().consecutiveErrors).toBe(0)
  })
})

describe('deadline', () => {
  test('a handler that never settles is timed out, its signal aborts, and the next event is handled', async () => {
    const signals: AbortSignal[] = []
    const { subscription, deliver, clock, lost } = setUp(
      (event, { signal }) => {
        signals.push(signal)
        return event.payload === 0 ? new Promise(() => {}) : undefined
      },
      { handlerTimeoutMs: 50 },
    )
    deliver(0)
    deliver(1)
    clock.advance(49)
    await stateOf(Promise.resolve())
    expect(lost).toHaveLength(0)
    clock.advance(1)
    await until(() => subscription.stats().handled === 1)
    expect(lost).toMatchObject([{ reason: 'handler', error: { code: 'timeout' } }])
    expect(signals[0]?.aborted).toBe(true)
    expect(signals[1]?.aborted).toBe(false)
    expect(subscription.stats()).toMatchObject({ zombies: 1, active: 0 })
  })

  test('above the zombie limit a place stays taken until its handler ends', async () => {
    const { handler, calls } = manual()
    const { subscription, deliver, clock } = setUp(handler, {
      handlerTimeoutMs: 10,
      zombieLimit: 1,
    })
    for (let n = 0; n < 3; n++) deliver(n)
    clock.advance(10)
    await until(() => calls.length === 2)
    clock.advance(10)
    await stateOf(Promise.resolve())
    expect(calls).toHaveLength(2)
    expect(subscription.stats()).toMatchObject({ active: 1, zombies: 1 })
    calls[1]?.resolve()
    await until(() => calls.length === 3)
    calls[0]?.resolve()
    await until(() => subscription.stats().zombies === 0)
    expect(subscription.stats()).toMatchObject({ failed: 2, deadLettered: 2 })
  })

  test('what a handler fails with after its time was up is reported', async () => {
    const { handler, calls } = manual()
    const { deliver, clock, errors } = setUp(handler, { handlerTimeoutMs: 10 })
    deliver()
    clock.advance(10)
    await until(() => errors.length === 1)
    calls[0]?.reject(new Error('late'))
    await until(() => errors.length === 2)
    expect(errors[1]?.message).toBe('late')
  })

  test('leaves no timer and no listener when the handler ends in time', async () => {
    const { handler, calls } = manual()
    const { subscription, deliver, clock } = setUp(handler, { handlerTimeoutMs: 10 })
    deliver()
    calls[0]?.resolve()
    await until(() => subscription.stats().handled === 1)
    expect(clock.pending).toBe(0)
  })
})
