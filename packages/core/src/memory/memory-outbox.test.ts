import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test, vi } from 'vitest'
import { collector, lostBy, ready, listenersOf, SimulatedClock, stateOf } from '@bus/test-support'
import { createEvent } from '../contract/event.ts'
import { memoryTransport } from './index.ts'

describe('back pressure', () => {
  test('a full sink lets its publishers wait until it is ready', async () => {
    const transport = await ready()
    const sink = collector(1)
    const feed = transport.subscribe([], sink)
    await transport.publish(createEvent('a', 1))
    const held = transport.publish(createEvent('a', 2))
    expect(await stateOf(held)).toBe('pending')
    feed.ready()
    await held
    expect(sink.events).toHaveLength(2)
  })

  test('an unsubscribe lets the waiting publishers go on', async () => {
    const transport = await ready()
    const sink = collector(1)
    const feed = transport.subscribe([], sink)
    await transport.publish(createEvent('a', 1))
    const held = transport.publish(createEvent('a', 2))
    expect(await stateOf(held)).toBe('pending')
    await feed.unsubscribe()
    await held
    expect(sink.events).toHaveLength(1)
  })

  test('after holdMs a sink gets the next event all the same', async () => {
    const clock = new SimulatedClock()
    const transport = await ready({ clock, holdMs: 100 })
    const sink = collector(1)
    transport.subscribe([], sink)
    await transport.publish(createEvent('a', 1))
    const held = transport.publish(createEvent('a', 2))
    await clock.untilPending(1)
    clock.advance(99)
    expect(await stateOf(held)).toBe('pending')
    clock.advance(1)
    await held
    expect(sink.events).toHaveLength(2)
    expect(clock.pending).toBe(0)
  })

  test('a publish that waits can be aborted or timed out, and gives its place up', async () => {
    const clock = new SimulatedClock()
    const transport = await ready({ clock, holdMs: Infinity, queue: { capacity: 1 } })
    transport.subscribe([], collector(1))
    await transport.publish(createEvent('a', 1))
    const control = new AbortController()
    const { signal } = control
    const underWay = transport.publish(createEvent('a', 2), { signal })
    await stateOf(underWay)
    const waiting = transport.publish(createEvent('a', 3), { signal })
    const timed = transport.publish(createEvent('a', 4), { timeoutMs: 10 })
    const failures = Promise.allSettled([underWay, waiting, timed])
    expect(transport.backpressureStats()).toMatchObject({ size: 1, waiting: 2 })
    clock.advance(10)
    control.abort(new Error('why'))
    expect(await failures).toMatchObject([
      { reason: { code: 'aborted', outcome: 'unknown', cause: { message: 'why' } } },
      { reason: { code: 'aborted', outcome: 'not-sent' } },
      { reason: { code: 'timeout', outcome: 'not-sent' } },
    ])
    expect(transport.backpressureStats().waiting).toBe(0)
    expect([clock.pending, listenersOf(signal)]).toEqual([0, 0])
    await transport.close()
  })

  test.each([
    ['drop-oldest', 0, 'dropped'],
    ['drop-newest', 2, 'dropped'],
    ['reject', 2, 'queue-full'],
  ] as const)(
    '%s: rejects the publish of the one that is given up',
    async (strategy, gone, code) => {
      const transport = memoryTransport({ queue: { capacity: 2, strategy } })
      const failed: unknown[] = []
      const published = [0, 1, 2].map((n) =>
        transport
          .publish(createEvent('a', n))
          .catch((error: unknown) => void failed.push([n, error])),
      )
      await stateOf(Promise.resolve())
      expect(failed).toMatchObject([[gone, { code, outcome: 'not-sent' }]])
      await transport.connect()
      await Promise.all(published)
    },
  )

  test('maxBytes bounds the encoded events', async () => {
    const transport = memoryTransport({ queue: { maxBytes: 400 } })
    await expect(transport.publish(createEvent('a', 'x'.repeat(500)))).rejects.toMatchObject({
      code: 'too-large',
      limit: 400,
    })
    const lost = lostBy(transport)
    transport.emit(createEvent('a', 'x'.repeat(500)))
    expect(lost).toMatchObject([{ error: { code: 'too-large' } }])
    transport.emit(createEvent('a', 'x'.repeat(200)))
    expect(transport.backpressureStats().bytes).toBeGreaterThan(200)
  })

  test('reports when its queue crosses the threshold', () => {
    const transport = memoryTransport({ queue: { capacity: 2, warningThreshold: 0.5 } })
    const told = vi.fn()
    transport.on('backpressure', told)
    transport.emit(createEvent('a', 1))
    expect(told).toHaveBeenCalledWith({ level: 'high', fillRatio: 0.5 })
  })
})

test('a transport that has become quiet keeps no sink alive that got its last event', async () => {
  const transport = await ready()
  const held = await (async () => {
    const sink = collector()
    const feed = transport.subscribe(['a'], sink)
    await transport.publish(createEvent('a', 1))
    await feed.unsubscribe()
    return new WeakRef(sink)
  })()
  // In a later turn: what a weak reference was made for lives at least to the end of its own.
  await new Promise((resolve) => setImmediate(resolve))
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  expect(held.deref()).toBeUndefined()
  expect(transport.status.state).toBe('ready')
})
