import {
  InMemoryMetrics,
  createBus,
  createEvent,
  type ErrorMetric,
  type MessageMetric,
  type MetricsCollector,
} from '@bus/core'
import { LatencyStats } from '@bus/core/kit'
import { describe, expect, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import { identity, serveTls } from './certificates.ts'
import {
  Collector,
  collect,
  cut,
  frameOf,
  only,
  record,
  serve,
  transportTo,
  until,
} from './harness.ts'
import { startHub } from './hub-clients.ts'

describe('a collector', () => {
  test('counts links that were opened, closed and upgraded', async () => {
    const server = await serve()
    const metrics = new InMemoryMetrics()
    const transport = transportTo(server, { metrics })
    await transport.connect()
    await cut(server, transport)
    await until(() => transport.stats().reconnects === 1, 'the next link')
    expect(metrics.snapshot().connections).toEqual({ upgraded: 2, opened: 2, closed: 1, open: 1 })
    await transport.close()
    expect(metrics.snapshot().connections).toMatchObject({ closed: 2, open: 0 })
  })

  test('counts an upgrade after which the link never became ready, and no opening', async () => {
    const server = await serve()
    const metrics = new InMemoryMetrics()
    const onOpen = (): never => {
      throw new Error('not ready')
    }
    const transport = transportTo(server, { metrics, onOpen, reconnect: false })
    await expect(transport.connect()).rejects.toMatchObject({ code: 'bootstrap' })
    expect(metrics.snapshot().connections).toEqual({ upgraded: 1, opened: 0, closed: 0, open: 0 })
  })

  test('counts messages and bytes both ways', async () => {
    const server = await serve({ handler: 'echo' })
    const metrics = new InMemoryMetrics()
    const transport = transportTo(server, { metrics })
    const all = await collect(transport)
    for (let n = 0; n < 5; n++) await transport.publish(createEvent('order.created', 'ä'.repeat(n)))
    await until(() => all.events.length === 5, 'the echoes')
    const messages = server.received.map(({ data }) => Buffer.byteLength(String(data)))
    const bytes = messages.reduce((sum, length) => sum + length, 0)
    const { sent, received } = metrics.snapshot()
    expect({ sent, received }).toEqual({
      sent: { messages: 5, bytes },
      received: { messages: 5, bytes },
    })
  })

  test('counts errors by reason', async () => {
    const server = await serve()
    server.faults.refuse(503, { times: 2 })
    const metrics = new InMemoryMetrics()
    const transport = transportTo(server, { metrics })
    await transport.connect({ retry: true })
    server.inject('no event')
    await until(() => metrics.get('errors.decode') === 1, 'the bad frame')
    expect(metrics.get('errors.handshake')).toBe(2)
    const strict = transportTo(server, { metrics, maxMessageBytes: 300 })
    await expect(strict.publish(createEvent('a', 'x'.repeat(400)))).rejects.toMatchObject({
      code: 'too-large',
    })
    await until(() => metrics.get('errors.too-large') === 1, 'the refused publish')
  })

  test('measures publishes from the call to the outcome', async () => {
    const hub = await startHub()
    const metrics = new InMemoryMetrics()
    const transport = transportTo(hub, { metrics, protocol: busV1() })
    for (let n = 0; n < 3; n++) await transport.publish(createEvent('order.created', n))
    await transport.publish(createEvent('order.created', 3), { delivery: 'at-most-once' })
    await expect(
      transport.publish(createEvent('order.created', 4), { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ code: 'aborted' })
    await until(() => metrics.get('publishes.failed') === 1, 'the aborted one')
    const { publishes } = metrics.snapshot()
    expect(publishes).toMatchObject({ confirmed: 3, sent: 1, failed: 1, latency: { count: 4 } })
    expect(publishes.latency.p99).toBeGreaterThan(0)
  })

  test('gives the default for a figure that is missing', async () => {
    const server = await serve()
    const metrics = new InMemoryMetrics()
    await transportTo(server, { metrics }).connect()
    expect(metrics.get('errors.timeout')).toBe(0)
    expect(metrics.get('publishes.latency.p50', -1)).toBe(-1)
  })

  test('belongs to the transports that it was given to', async () => {
    const server = await serve()
    const [one, other] = [new InMemoryMetrics(), new InMemoryMetrics()]
    await transportTo(server, { metrics: one }).connect()
    await transportTo(server, { metrics: one }).connect()
    await transportTo(server, { metrics: other }).connect()
    expect([one, other].map((metrics) => metrics.get('connections.opened'))).toEqual([2, 1])
  })
})

describe("a collector of one's own", () => {
  test('implements what it needs and learns of each occurrence', async () => {
    const server = await serve()
    const heard: unknown[] = []
    const metrics: MetricsCollector = {
      onConnection: (metric) => void heard.push(metric.event),
      onMessage: ({ direction, binary }: MessageMetric) => void heard.push([direction, binary]),
      onError: ({ kind, reason }: ErrorMetric) => void heard.push([kind, reason]),
      onPublish: ({ outcome }) => void heard.push(outcome),
    }
    const transport = transportTo(server, { metrics })
    const all = await collect(transport)
    await transport.publish(createEvent('a', 1))
    server.inject(frameOf('a', 2))
    await until(() => all.events.length === 1, 'the event')
    await transport.close()
    expect(heard).toEqual([
      'upgraded',
      'opened',
      ['sent', false],
      'sent',
      ['received', false],
      'closed',
    ])
  })

  test('that throws changes nothing, and is reported as a listener', async () => {
    const server = await serve()
    const fail = (): never => {
      throw new Error('collector')
    }
    const metrics = { onConnection: fail, onMessage: fail, onError: fail, onPublish: fail }
    const transport = transportTo(server, { metrics })
    const notices = record(transport)
    const all = await collect(transport)
    await transport.publish(createEvent('a', 1))
    server.inject(frameOf('a', 2))
    await until(() => all.events.length === 1, 'the event')
    const errors = only(notices, 'error')
    expect(errors.length).toBeGreaterThanOrEqual(4)
    expect(new Set(errors.map(({ kind, error }) => `${kind} ${error.message}`))).toEqual(
      new Set(['listener collector']),
    )
  })

  test.each([
    [7, 'metrics'],
    [{ onMessage: 'no' }, 'metrics.onMessage'],
  ])('that is none, such as %j, is refused', async (metrics, path) => {
    const server = await serve()
    expect(() => transportTo(server, { metrics: metrics as never })).toThrow(`Expected \`${path}\``)
  })
})

describe('the inner state', () => {
  test('of a new transport is empty', async () => {
    const server = await serve()
    const transport = transportTo(server, { telemetry: { id: 'orders' } })
    const metrics = transport.metrics()
    expect(metrics).toMatchObject({
      transport: 'websocket',
      id: 'orders',
      state: 'idle',
      uptimeMs: 0,
      queue: { size: 0, capacity: 1_000 },
      unconfirmed: 0,
      breaker: { state: 'closed' },
      roundTrip: { count: 0 },
      subscriptions: { count: 0, patterns: [], held: 0 },
      links: { made: 0, reconnects: 0, failures: 0, isPaused: false, awaited: 0 },
      events: { sent: 0, resent: 0, received: 0 },
      bytes: { sent: 0, received: 0, buffered: 0 },
    })
    expect(metrics.heartbeat).toBe(undefined)
    expect(JSON.parse(JSON.stringify(metrics))).toEqual(metrics)
  })

  test('shows queue, subscriptions, links, events and bytes of a live transport', async () => {
    const server = await serve({ handler: 'echo' })
    const transport = transportTo(server)
    const all = await collect(transport, 'order.*', 'x')
    await transport.publish(createEvent('order.created', 1))
    await until(() => all.events.length === 1, 'the echo')
    await cut(server, transport)
    await until(() => transport.stats().reconnects === 1, 'the next link')
    server.faults.refuse(503, { times: 1 })
    await cut(server, transport)
    await until(() => transport.stats().reconnects === 2, 'the third link')
    const metrics = transport.metrics()
    expect(metrics).toMatchObject({
      state: 'ready',
      subscriptions: { count: 1, patterns: ['order.*', 'x'], held: 0 },
      links: { made: 3, reconnects: 2, failures: 1 },
      events: { sent: 1, received: 1 },
      heartbeat: { missed: 0 },
    })
    expect(metrics.uptimeMs).toBeGreaterThanOrEqual(0)
  })

  test('shows what waits and what is under way', async () => {
    const server = await serve()
    const transport = transportTo(server)
    server.faults.hangUpgrade()
    const publishes = [1, 2, 3].map((n) => transport.publish(createEvent('a', n)))
    const { queue, unconfirmed, state } = transport.metrics()
    expect([queue.size, unconfirmed, state]).toEqual([3, 0, 'connecting'])
    server.faults.clear()
    await transport.close()
    await Promise.allSettled(publishes)
  })

  test('shows on bus.v1 what the hub has not confirmed', async () => {
    const hub = await startHub()
    const transport = transportTo(hub, { protocol: busV1() })
    await transport.connect()
    const seen: number[] = []
    const publishes = [1, 2, 3].map((n) => transport.publish(createEvent('a', n)))
    await new Promise((resolve) => {
      process.nextTick(resolve)
    })
    seen.push(transport.metrics().unconfirmed)
    await Promise.all(publishes)
    seen.push(transport.metrics().unconfirmed)
    expect(seen).toEqual([3, 0])
    expect(transport.metrics().queue.size).toBe(0)
  })

  test('shows a sink without room and the link that is not read for it', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const sink = new Collector()
    sink.hasRoom = false
    const feed = transport.subscribe(['>'], sink)
    await feed.live
    server.inject(frameOf('a', 1))
    await until(() => transport.metrics().subscriptions.held === 1, 'held')
    expect(transport.metrics().links.isPaused).toBe(true)
    feed.ready()
    expect(transport.metrics()).toMatchObject({
      subscriptions: { held: 0 },
      links: { isPaused: false },
    })
  })

  test('shows the round trips of pings, over all links', async () => {
    const server = await serve()
    const transport = transportTo(server, { heartbeat: { intervalMs: 10, timeoutMs: 10 } })
    await transport.connect()
    await until(() => transport.metrics().roundTrip.count >= 2, 'two pongs')
    const before = transport.metrics().roundTrip.count
    await cut(server, transport)
    await until(() => transport.metrics().roundTrip.count > before, 'a pong on the next link')
    const { p50, p99, last } = transport.metrics().roundTrip
    for (const ms of [p50, p99, last]) expect(ms).toBeGreaterThanOrEqual(0)
    expect(transport.metrics().heartbeat?.lastPongAgeMs).toBeGreaterThanOrEqual(0)
  })

  test('counts a probe among the round trips', async () => {
    const server = await serve()
    const transport = transportTo(server, { heartbeat: false })
    await transport.connect()
    await transport.health({ probe: true })
    expect(transport.metrics().roundTrip).toMatchObject({ count: 1 })
  })

  test.each(['ws', 'wss'])('counts the bytes of all sockets over %s', async (scheme) => {
    const own = scheme === 'wss' ? await identity('127.0.0.1') : undefined
    const peer = own === undefined ? await serve() : await serveTls(own)
    const transport = transportTo(peer, own === undefined ? {} : { tls: { ca: own.cert } })
    await transport.connect()
    const handshake = transport.metrics().bytes
    expect(handshake.sent).toBeGreaterThan(100)
    expect(handshake.received).toBeGreaterThan(100)
    await transport.publish(createEvent('a', 'x'.repeat(10_000)))
    const busy = transport.metrics().bytes
    expect(busy.sent).toBeGreaterThan(handshake.sent + 10_000)
    await transport.reconnect()
    const again = transport.metrics().bytes
    expect(again.sent).toBeGreaterThan(busy.sent + 100)
    expect(again.received).toBeGreaterThan(busy.received + 100)
    await transport.close()
    expect(transport.metrics().bytes.sent).toBeGreaterThanOrEqual(again.sent)
  })

  test('shows an open breaker', async () => {
    const server = await serve()
    server.faults.refuse(503)
    const transport = transportTo(server, { breaker: { failureThreshold: 1 } })
    await expect(transport.connect()).rejects.toMatchObject({ code: 'handshake' })
    expect(transport.metrics().breaker).toMatchObject({ state: 'open', failures: 1 })
    expect(transportTo(server, { breaker: false }).metrics().breaker).toBe(undefined)
  })
})

describe('the inner state of a bus', () => {
  test('is that of its transport, its subscriptions and its dead letters', async () => {
    const server = await serve()
    const bus = createBus({ transport: transportTo(server) })
    const subscription = await bus.subscribe('order.*', () => Promise.reject(new Error('no')))
    server.inject(frameOf('order.created', 1))
    await until(() => bus.metrics().deadLetters?.size === 1, 'the letter')
    expect(bus.metrics()).toMatchObject({
      transport: { state: 'ready', subscriptions: { patterns: ['order.*'] } },
      subscriptions: [{ id: subscription.id, patterns: ['order.*'], failed: 1, deadLettered: 1 }],
    })
  })
})

test("the statistics of latencies are there for one's own measurements", async () => {
  const server = await serve({ handler: 'echo' })
  const transport = transportTo(server)
  const all = await collect(transport)
  const latency = new LatencyStats(2)
  for (let n = 1; n <= 3; n++) {
    const since = performance.now()
    await transport.publish(createEvent('a', n))
    await until(() => all.events.length === n, 'the echo')
    latency.add(performance.now() - since)
  }
  expect(latency.count).toBe(3)
  expect(latency.p99).toBeGreaterThan(0)
})
