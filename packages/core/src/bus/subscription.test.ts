import { describe, expect, test } from 'vitest'
import { manual, setUp } from '../../test/support/fake-subscription.ts'
import { expectNoUnhandledRejection, stateOf, until } from '@bus/test-support'
import { createEvent } from '../contract/event.ts'

expectNoUnhandledRejection()

describe('delivery', () => {
  test('calls an idle handler within deliver and settles when it returns', () => {
    const seen: unknown[] = []
    const { deliver, feed } = setUp((event) => void seen.push(event.payload))
    expect(deliver(1)).toBe(true)
    expect(seen).toEqual([1])
    expect(feed.settled).toEqual([0])
  })

  test('settles an event only after its asynchronous handler has ended', async () => {
    const { handler, calls } = manual()
    const { deliver, feed } = setUp(handler)
    deliver()
    await stateOf(Promise.resolve())
    expect(feed.settled).toEqual([])
    calls[0]?.resolve()
    await until(() => feed.settled.length === 1)
  })

  test('gives synchronous handlers of first attempts the same context', () => {
    const contexts = new Set<unknown>()
    const { deliver } = setUp((_event, context) => void contexts.add(context))
    deliver()
    deliver()
    expect(contexts.size).toBe(1)
  })

  test('does not nest the handlers of events that wait', async () => {
    let depth = 0
    let most = 0
    const { subscription, deliver } = setUp(
      () => {
        most = Math.max(most, ++depth)
        if (subscription.stats().handled === 0) for (let n = 0; n < 5_000; n++) deliver()
        depth--
      },
      { queue: { capacity: 10_000 } },
    )
    deliver()
    expect(subscription.stats().handled).toBe(5_001)
    expect(most).toBe(1)
  })

  test('answers false when the queue is full and says ready when it is half empty', async () => {
    const { handler, calls } = manual()
    const { deliver, feed } = setUp(handler, { queue: { capacity: 4 } })
    expect([deliver(), deliver(), deliver(), deliver(), deliver()]).toEqual([
      true,
      true,
      true,
      true,
      false,
    ])
    calls[0]?.resolve()
    await until(() => calls.length === 2)
    expect(feed.readies).toBe(0)
    calls[1]?.resolve()
    await until(() => calls.length === 3)
    expect(feed.readies).toBe(1)
  })

  test('keeps, in order, what a transport delivers although it was asked to pause', async () => {
    const { handler, calls } = manual()
    const { subscription, deliver, lost } = setUp(handler, { queue: { capacity: 2 } })
    for (let n = 0; n < 10; n++) deliver(n)
    expect(subscription.stats().queue).toMatchObject({ size: 9, received: 9, fillRatio: 4.5 })
    for (let n = 0; n < 10; n++) {
      await until(() => calls.length === n + 1)
      calls[n]?.resolve()
    }
    expect(calls.map((call) => call.event.payload)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(lost).toEqual([])
  })

  test('takes what the transport delivers from within ready, in order', async () => {
    const { handler, calls } = manual()
    const { deliver, feed } = setUp(handler, { queue: { capacity: 2 } })
    for (let n = 0; n < 3; n++) deliver(n)
    feed.onReady = () => void deliver(3)
    calls[0]?.resolve()
    await until(() => calls.length === 2)
    calls[1]?.resolve()
    await until(() => calls.length === 3)
    calls[2]?.resolve()
    await until(() => calls.length === 4)
    expect(calls.map((call) => call.event.payload)).toEqual([0, 1, 2, 3])
  })

  test.each([
    ['drop-oldest', 'dropped', 1],
    ['drop-newest', 'dropped', 3],
    ['reject', 'queue-full', 3],
  ] as const)('with %s, gives up an event, settles it and counts it', (strategy, code, lostN) => {
    const { handler } = manual()
    const { subscription, deliver, feed, lost } = setUp(handler, {
      queue: { capacity: 2, strategy },
    })
    for (let n = 0; n < 4; n++) expect(deliver(n)).toBe(true)
    expect(lost).toHaveLength(1)
    expect(lost[0]).toMatchObject({
      reason: 'dropped',
      direction: 'inbound',
      event: { payload: lostN },
      error: { code },
    })
    expect(feed.settled).toEqual([lostN])
    const { queue } = subscription.stats()
    expect(queue.dropped + queue.rejected).toBe(1)
  })

  test('limits what waits in bytes', () => {
    const { handler } = manual()
    const { subscription, feed, lost } = setUp(handler, {
      queue: { maxBytes: 20, strategy: 'reject' },
    })
    subscription.deliver(createEvent('a.b', 'first is handled at once'), 0)
    subscription.deliver(createEvent('a.b', 'x'.repeat(30)), 1)
    subscription.deliver(createEvent('a.b', 'x'), 2)
    expect(lost[0]?.error).toMatchObject({ code: 'too-large', size: 32, limit: 20 })
    expect(feed.settled).toEqual([1])
    expect(subscription.stats().queue).toMatchObject({ size: 1, bytes: 3 })
  })

  test('reports when the queue crosses its warning threshold', async () => {
    const { handler, calls } = manual()
    const { deliver, pressure } = setUp(handler, {
      queue: { capacity: 4, warningThreshold: 0.5 },
    })
    for (let n = 0; n < 3; n++) deliver(n)
    expect(pressure).toEqual(['high'])
    for (let n = 0; n < 3; n++) {
      calls[n]?.resolve()
      await until(() => calls.length === Math.min(n + 2, 3))
    }
    expect(pressure).toEqual(['high', 'normal'])
  })
})

describe('a subscription that is paused inside its own handler', () => {
  test('keeps what comes in order until it is resumed, whether its handler was called within deliver or from the queue', () => {
    const seen: unknown[] = []
    const { subscription, deliver, feed } = setUp(({ payload }) => {
      seen.push(payload)
      if (payload === 1) deliver(2)
      if (payload === 1 || payload === 2) subscription.pause()
    })
    for (const n of [1, 3]) expect(deliver(n)).toBe(true)
    expect([seen, subscription.queued, feed.settled]).toEqual([[1], 2, [0]])
    subscription.resume()
    expect([seen, subscription.queued]).toEqual([[1, 2], 1])
    subscription.resume()
    expect([seen, subscription.queued, feed.settled]).toEqual([[1, 2, 3], 0, [0, 1, 2]])
    deliver(4)
    expect(seen).toEqual([1, 2, 3, 4])
  })

  test('that is asynchronous starts no other handler until it is resumed', async () => {
    const { handler, calls } = manual()
    const { subscription, deliver } = setUp((event, context) => {
      subscription.pause()
      return handler(event, context)
    })
    deliver(1)
    deliver(2)
    calls[0]?.resolve()
    await until(() => subscription.stats().handled === 1)
    expect([calls.length, subscription.queued]).toEqual([1, 1])
    subscription.resume()
    expect(calls.length).toBe(2)
  })
})

describe('concurrency', () => {
  test('never runs more handlers at once than `concurrency` allows, and as many as that', async () => {
    const { handler, calls, most } = manual()
    const { subscription, deliver } = setUp(handler, { concurrency: 3 })
    for (let n = 0; n < 10; n++) deliver(n)
    await until(() => calls.length === 3)
    expect(subscription.stats().active).toBe(3)
    for (let n = 0; n < 10; n++) {
      await until(() => calls.length > n)
      calls[n]?.resolve()
    }
    await until(() => subscription.stats().handled === 10)
    expect(most()).toBe(3)
  })

  test('handles events in order, one at a time by default', async () => {
    const { handler, calls, most } = manual()
    const { subscription, deliver } = setUp(handler)
    for (let n = 0; n < 5; n++) deliver(n)
    for (let n = 0; n < 5; n++) {
      await until(() => calls.length === n + 1)
      calls[n]?.resolve()
    }
    await until(() => subscription.stats().handled === 5)
    expect(calls.map((call) => call.event.payload)).toEqual([0, 1, 2, 3, 4])
    expect(most()).toBe(1)
  })

  test('handles an event that comes while the last handler has just ended', async () => {
    const { subscription, deliver } = setUp(async () => {}, { concurrency: 2 })
    for (let n = 1; n <= 50; n++) {
      deliver(n)
      // From no microtask to some: a task that found no event ends a few of them later.
      for (let turns = n % 10; turns > 0; turns--) await Promise.resolve()
    }
    await until(() => subscription.stats().handled === 50)
    expect(subscription.stats()).toMatchObject({ active: 0, queue: { size: 0 } })
  })

  test('keeps the order of each key while keys overlap', async () => {
    const running = new Set<unknown>()
    const order = new Map<unknown, number[]>()
    let overlapped = false
    const { subscription, deliver } = setUp(
      async (event) => {
        const n = event.payload as number
        const key = n % 5
        expect(running.has(key)).toBe(false)
        running.add(key)
        overlapped ||= running.size > 1
        for (let turns = (n * 7) % 4; turns >= 0; turns--) await Promise.resolve()
        order.set(key, [...(order.get(key) ?? []), n])
        running.delete(key)
      },
      { concurrency: 4, orderBy: (event) => String((event.payload as number) % 5) },
    )
    for (let n = 0; n < 1_000; n++) deliver(n)
    await until(() => subscription.stats().handled === 1_000)
    expect(overlapped).toBe(true)
    for (const list of order.values()) expect(list).toEqual(list.toSorted((a, b) => a - b))
    expect(subscription.stats().failed).toBe(0)
  })

  test('gives an event whose key cannot be made to the dead letters', async () => {
    const { subscription, deliver, lost, feed } = setUp(() => {}, {
      concurrency: 2,
      orderBy: ({ payload }) => {
        if (payload === 1) throw new Error('no key')
        return 'k'
      },
    })
    for (let n = 0; n < 3; n++) deliver(n)
    await until(() => feed.settled.length === 3)
    expect(subscription.stats()).toMatchObject({ handled: 2, failed: 1, deadLettered: 1 })
    expect(lost).toMatchObject([{ event: { payload: 1 }, error: { message: 'no key' } }])
  })
})
