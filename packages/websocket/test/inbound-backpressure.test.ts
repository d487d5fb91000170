import { createBus, createEvent, type Event } from '@bus/core'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { WebSocketTransport } from '../src/index.ts'
import {
  Collector,
  collect,
  frameOf,
  only,
  record,
  serve,
  transportTo,
  until,
  untilStill,
} from './harness.ts'
import { join, startHub } from './hub-clients.ts'

const BULK = 'x'.repeat(10_000)
/** So many of them are more than the buffers of the kernel on the way hold. */
const COUNT = 2_500

/** A subscription of a bus whose handler does nothing until the test lets it. */
async function slowSubscription(transport: WebSocketTransport, capacity: number) {
  const bus = createBus({ transport })
  onTestFinished(() => bus.close())
  const handled: Event[] = []
  let letGo: () => void = () => {}
  const opened = new Promise<void>((resolve) => (letGo = resolve))
  const subscription = await bus.subscribe(
    'a',
    async (event) => {
      await opened
      handled.push(event)
    },
    { queue: { capacity, strategy: 'block' } },
  )
  return { bus, handled, letGo, subscription }
}

const numbersOf = (events: readonly Event[]): number[] =>
  events.map(({ payload }) => (payload as { n: number }).n)

describe('a handler that is slower than the publishers', () => {
  test('makes the transport stop reading, so that the publishers wait; then everything is handled, in order [F102]', async () => {
    const hub = await startHub({ highWaterMarkBytes: 64_000, slowReaderMs: 60_000 })
    const transport = transportTo(hub)
    const { handled, letGo, subscription } = await slowSubscription(transport, 10)
    const publisher = transportTo(hub, { queue: { capacity: 100 }, highWaterMarkBytes: 64_000 })
    const all = Array.from({ length: COUNT }, (_, n) =>
      publisher.publish(createEvent('a', { n, BULK })),
    )
    await untilStill(() => hub.stats().received, 'the hub stops reading')
    // Memory is bounded: what was read is the queue and at most what one read brought.
    expect(transport.stats().received).toBeLessThan(200)
    const { size } = subscription.stats().queue
    expect(size).toBe(transport.stats().received - 1)
    expect(publisher.backpressureStats().size).toBe(100)
    const health = await transport.health()
    expect(health).toMatchObject({ status: 'degraded' })
    expect(health.reasons.join()).toMatch(/no room/)
    letGo()
    await Promise.all(all)
    await until(() => handled.length === COUNT, 'everything is handled')
    expect(numbersOf(handled)).toEqual(Array.from({ length: COUNT }, (_, n) => n))
    expect((await transport.health()).reasons).toEqual([])
    expect(subscription.stats().queue).toMatchObject({ dropped: 0, rejected: 0, size: 0 })
  })

  test('gets what had been read before the pause as well: sinks take what they could not stop', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const sink = new Collector()
    sink.hasRoom = false
    const feed = transport.subscribe([], sink)
    await feed.live
    // One write, so that they come with one read.
    const frames = Array.from({ length: 50 }, (_, n) => Buffer.from(frameOf('a', n)))
    const bytes = frames.map((data) => Buffer.concat([Uint8Array.of(0x81, data.length), data]))
    expect(Math.max(...frames.map((data) => data.length))).toBeLessThan(126)
    server.faults.sendRaw(Buffer.concat(bytes))
    await until(() => sink.events.length === 50, 'all of that read')
    server.inject(frameOf('a', 50))
    for (let turn = 0; turn < 20; turn++) await nextTurn()
    expect(sink.events).toHaveLength(50)
    feed.ready()
    await until(() => sink.events.length === 51, 'the next comes when there is room')
    expect(sink.payloads).toEqual(Array.from({ length: 51 }, (_, n) => n))
  })

  test('does not delay publishes', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const { bus } = await slowSubscription(transport, 1)
    for (let n = 0; n < 10; n++) server.inject(frameOf('a', { n }))
    await until(() => transport.stats().received >= 3, 'it is full')
    for (let n = 0; n < 100; n++) await bus.publish('b', n)
    await until(() => server.received.length === 100, 'all arrive')
  })

  test('is not hurried by another subscription that has room', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const [one, two] = [await collect(transport, 'a'), await collect(transport, 'a')]
    one.hasRoom = false
    two.hasRoom = false
    server.inject(frameOf('a', 1))
    await until(() => one.events.length === 1 && two.events.length === 1, 'both are full')
    one.feed.ready()
    server.inject(frameOf('a', 2))
    for (let turn = 0; turn < 20; turn++) await nextTurn()
    expect([one.events.length, two.events.length]).toEqual([1, 1])
    two.hasRoom = true
    two.feed.ready()
    await until(() => two.events.length === 2, 'the next comes')
  })

  test('hold nothing back any more once it is unsubscribed', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const [slow, other] = [await collect(transport, 'a'), await collect(transport)]
    slow.hasRoom = false
    server.inject(frameOf('a', 1))
    await until(() => slow.events.length === 1, 'it is full')
    server.inject(frameOf('b', 2))
    await slow.feed.unsubscribe()
    await until(() => other.events.length === 2, 'the other goes on')
  })
})

describe('while reading is paused', () => {
  test('the heartbeat gives no false verdict, however long it takes', async () => {
    const server = await serve()
    const transport = transportTo(server, {
      heartbeat: { intervalMs: 10, timeoutMs: 10 },
      idleTimeoutMs: 15,
    })
    const notices = record(transport)
    const sink = await collect(transport)
    sink.hasRoom = false
    server.inject(frameOf('a', 1))
    await until(() => sink.events.length === 1, 'it is full')
    const pings = server.connections[0]?.pings ?? 0
    await until(() => (server.connections[0]?.pings ?? 0) > pings + 10, 'pings go out all the same')
    expect(only(notices, 'heartbeat-timeout')).toEqual([])
    sink.hasRoom = true
    sink.feed.ready()
    server.inject(frameOf('a', 2))
    await until(() => sink.events.length === 2, 'the next comes')
    expect(server.connections).toHaveLength(1)
  })

  test('a peer that died meanwhile is noticed after reading goes on', async () => {
    const server = await serve()
    const transport = transportTo(server, { heartbeat: { intervalMs: 20, timeoutMs: 20 } })
    const notices = record(transport)
    const sink = await collect(transport)
    sink.hasRoom = false
    server.inject(frameOf('a', 1))
    await until(() => sink.events.length === 1, 'it is full')
    server.faults.withholdPongs()
    const pings = server.connections[0]?.pings ?? 0
    await until(() => (server.connections[0]?.pings ?? 0) > pings + 3, 'nothing is answered')
    expect(transport.status.state).toBe('ready')
    sink.feed.ready()
    await until(() => only(notices, 'heartbeat-timeout').length > 0, 'it is noticed')
    server.faults.clear()
    await server.waitForConnection({ index: 1 })
  })

  test('the link can be closed, and the handshake is finished', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const sink = await collect(transport)
    sink.hasRoom = false
    server.inject(frameOf('a', 1))
    await until(() => sink.events.length === 1, 'it is full')
    await transport.close()
    await expect(server.connections[0]?.waitForClose()).resolves.toMatchObject({
      code: 1000,
      wasClean: true,
    })
  })
})

describe('what was received and not handled yet', () => {
  test('survives the link that it came over', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const { handled, letGo, subscription } = await slowSubscription(transport, 100)
    for (let n = 0; n < 50; n++) server.inject(frameOf('a', { n }))
    await until(() => subscription.stats().queue.size === 49, 'all wait')
    server.faults.reset()
    await server.waitForConnection({ index: 1 })
    await until(() => transport.status.state === 'ready', 'ready again')
    for (let n = 50; n < 60; n++) server.inject(frameOf('a', { n }))
    letGo()
    await until(() => handled.length === 60, 'all is handled')
    expect(numbersOf(handled)).toEqual(Array.from({ length: 60 }, (_, n) => n))
  })

  test('still holds back the next link', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const sink = await collect(transport)
    sink.hasRoom = false
    server.inject(frameOf('a', 1))
    await until(() => sink.events.length === 1, 'it is full')
    await transport.reconnect()
    server.inject(frameOf('a', 2))
    for (let turn = 0; turn < 20; turn++) await nextTurn()
    expect(sink.events).toHaveLength(1)
    sink.hasRoom = true
    sink.feed.ready()
    await until(() => sink.events.length === 2, 'the next comes when there is room')
  })
})

test('a write that is stuck does not delay handlers', async () => {
  const server = await serve()
  const transport = transportTo(server, { highWaterMarkBytes: 64_000 })
  const sink = await collect(transport)
  server.faults.stall()
  const bulk = 'x'.repeat(100_000)
  const stuck = Array.from({ length: 200 }, () => transport.publish(createEvent('bulk', bulk)))
  await until(() => transport.backpressureStats().sent > 0, 'the kernel takes some')
  for (let n = 0; n < 100; n++) server.inject(frameOf('a', n))
  await until(() => sink.events.length === 100, 'all are delivered')
  expect(transport.backpressureStats().size).toBeGreaterThan(0)
  server.faults.clear()
  await Promise.all(stuck)
})

describe('iterating', () => {
  test('takes as many events as are requested, and the rest keeps its order', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const bus = createBus({ transport })
    onTestFinished(() => bus.close())
    const events = bus.events('a')
    const first = events.next()
    await until(() => transport.status.state === 'ready', 'it is live')
    for (let n = 0; n < 10; n++) server.inject(frameOf('a', n))
    // Demand was there first: it is served at once.
    expect((await first).value?.payload).toBe(0)
    const taken: unknown[] = []
    for (let n = 0; n < 4; n++) taken.push((await events.next()).value?.payload)
    expect(taken).toEqual([1, 2, 3, 4])
    for (let n = 0; n < 5; n++) taken.push((await events.next()).value?.payload)
    expect(taken).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    await events.return?.()
  })

  test('contains the publishers back while no demand comes', async () => {
    const hub = await startHub({ highWaterMarkBytes: 64_000, slowReaderMs: 60_000 })
    const transport = transportTo(hub)
    const bus = createBus({ transport })
    onTestFinished(() => bus.close())
    const events = bus.events('a')
    const first = events.next()
    await until(() => transport.status.state === 'ready', 'it is live')
    const sender = await join(hub)
    for (let n = 0; n < COUNT; n++) sender.send(frameOf('a', { n, BULK }))
    await first
    await untilStill(() => hub.stats().received, 'the hub stops reading')
    expect(hub.stats().received).toBeLessThan(COUNT)
    const numbers = [0]
    for await (const { payload } of events) {
      if (numbers.push((payload as { n: number }).n) === COUNT) break
    }
    expect(numbers).toEqual(Array.from({ length: COUNT }, (_, n) => n))
  })
})
