import { describe, expect, test } from 'vitest'
import { manual, setUp } from '../../test/support/fake-subscription.ts'
import { expectNoUnhandledRejection, stateOf, until } from '@bus/test-support'

expectNoUnhandledRejection()

describe('pause and end', () => {
  test('starts no handler while paused, and goes on in order', async () => {
    const seen: unknown[] = []
    const { subscription, deliver } = setUp((event) => void seen.push(event.payload))
    subscription.pause()
    for (let n = 0; n < 3; n++) deliver(n)
    expect([subscription.isPaused, seen.length]).toEqual([true, 0])
    subscription.resume()
    expect(seen).toEqual([0, 1, 2])
  })

  test('retries nothing while paused', async () => {
    const attempts: number[] = []
    const { subscription, deliver, clock } = setUp(
      (_event, { attempt }) => {
        attempts.push(attempt)
        if (attempt === 1) throw new Error('no')
      },
      { errorPolicy: { strategy: 'retry', retry: { attempts: 2, backoff: () => 10 } } },
    )
    deliver()
    subscription.pause()
    clock.advance(10)
    await stateOf(Promise.resolve())
    expect(attempts).toEqual([1])
    subscription.resume()
    await until(() => attempts.length === 2)
  })

  test.each([1, 3])(
    'unsubscribe starts no handler and waits for those that run (concurrency %i)',
    async (concurrency) => {
      const { handler, calls } = manual()
      const { subscription, deliver, feed, lost } = setUp(handler, { concurrency })
      for (let n = 0; n < 10; n++) deliver(n)
      await until(() => calls.length === concurrency)
      const gone = subscription.unsubscribe()
      expect(feed.hasEnded).toBe(true)
      expect(await stateOf(gone)).toBe('pending')
      expect(deliver()).toBe(true)
      for (const call of calls) call.resolve()
      await gone
      await subscription.closed
      expect(calls).toHaveLength(concurrency)
      expect(lost).toEqual([])
      expect(feed.settled.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    },
  )

  test('unsubscribe within a handler does not wait for that handler, also after an await', async () => {
    let ended = false
    const { subscription, deliver } = setUp(async () => {
      await Promise.resolve()
      await subscription.unsubscribe()
      ended = true
    })
    deliver()
    await subscription.closed
    expect(ended).toBe(true)
  })

  test('unsubscribe ends the wait for a retry, and the event becomes a dead letter', async () => {
    const { subscription, deliver, clock, lost } = setUp(
      () => {
        throw new Error('no')
      },
      { errorPolicy: { strategy: 'retry', retry: { attempts: 4, backoff: () => 1_000 } } },
    )
    deliver()
    await subscription.unsubscribe()
    expect(lost).toMatchObject([{ reason: 'handler', attempts: 1 }])
    expect(clock.pending).toBe(0)
  })

  test('finish handles what it has and takes nothing more', async () => {
    const { handler, calls } = manual()
    const { subscription, deliver, feed } = setUp(handler)
    deliver(0)
    deliver(1)
    const finished = subscription.finish()
    expect(feed.hasEnded).toBe(true)
    deliver(2)
    calls[0]?.resolve()
    await until(() => calls.length === 2)
    expect(await stateOf(finished)).toBe('pending')
    calls[1]?.resolve()
    await finished
    expect(feed.settled).toEqual([0, 1])
  })

  test('abandon aborts the contexts, gives up what waits and counts both', async () => {
    const signals: AbortSignal[] = []
    const { subscription, deliver, lost, feed } = setUp((_event, { signal }) => {
      signals.push(signal)
      return new Promise(() => {})
    })
    for (let n = 0; n < 3; n++) deliver(n)
    expect(subscription.abandon(new Error('closed'))).toBe(3)
    expect(signals.map((signal) => signal.aborted)).toEqual([true])
    expect(lost.map(({ reason }) => reason)).toEqual(['closed', 'closed'])
    // The dead letters have them; the one whose handler was aborted is not stored.
    expect(feed.settled).toEqual([1, 2])
  })

  test('abandon does not settle what only a notice reports', () => {
    const { subscription, deliver, lost, feed } = setUp(
      () => new Promise(() => {}),
      {},
      {
        hasDeadLetters: false,
      },
    )
    for (let n = 0; n < 3; n++) deliver(n)
    subscription.abandon(new Error('closed'))
    expect([lost.length, feed.settled]).toEqual([2, []])
  })
})
