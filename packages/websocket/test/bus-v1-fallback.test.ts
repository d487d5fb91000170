import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createEvent, textCodec, type Undeliverable } from '@bus/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { busV1, type WebSocketTransport, type WebSocketTransportOptions } from '../src/index.ts'
import { plainJson } from '../src/protocol/index.ts'
import {
  FastClock,
  collect,
  frameOf,
  numbered,
  record,
  only,
  serve,
  transportTo,
  until,
} from './harness.ts'
import { startLiteralHub } from './literal-hub.ts'

const client = (
  server: { readonly url: string },
  options: Omit<WebSocketTransportOptions, 'url'> = {},
): WebSocketTransport => transportTo(server, { protocol: busV1(), ...options })

/** Servers that take WebSocket connections and know nothing of bus.v1. */
const STRANGERS = [
  ['agrees on no subprotocol', { subprotocols: () => false as const }],
  ['echoes the first subprotocol that it is offered', {}],
  ['says it is a hub of another kind', { headers: { 'bus-protocol': 'bus.v2' } }],
] as const

describe.each(STRANGERS)('a server that %s', (_what, options) => {
  test('is spoken to in plain events, also with those that waited, and hears nothing else', async () => {
    const server = await serve(options)
    // More than the queue holds: the rest waits in front of it.
    const transport = client(server, { queue: { capacity: 5 } })
    const events = numbered(12)
    const receipts = await Promise.all(events.map((event) => transport.publish(event)))
    expect(receipts.every(({ status }) => status === 'sent')).toBe(true)
    await server.waitUntil(() => server.received.length === 12)
    expect(server.received.map(({ json }) => json)).toMatchObject(
      events.map(({ id, type, payload }) => ({ id, event_type: type, payload })),
    )
  })

  test('is listened to in plain events', async () => {
    const server = await serve(options)
    const transport = client(server)
    const sink = await collect(transport, 'order.*')
    server.inject(frameOf('order.created', 1))
    await until(() => sink.events.length === 1, 'the event')
    expect(transport.stats().received).toBe(1)
  })
})

test('a server that chooses another of the subprotocols is spoken to plainly in that', async () => {
  const server = await serve({ subprotocols: ['chat'] })
  const transport = client(server, { protocols: ['chat'] })
  await transport.publish(createEvent('a', 1))
  await server.waitForMessage({ event_type: 'a' })
  expect(server.received).toHaveLength(1)
  expect(server.live[0]?.subprotocol).toBe('chat')
})

test('capabilities promise what bus.v1 does until the server turns out not to speak it', async () => {
  const server = await serve()
  const transport = client(server)
  expect(transport.capabilities).toMatchObject({
    delivery: 'at-least-once',
    publishConfirm: true,
    resume: true,
    gaps: true,
    dedupe: true,
    backpressure: { inbound: 'credits' },
  })
  expect(transport.capabilities).toBe(transport.capabilities)
  await transport.connect()
  expect(transport.capabilities).toMatchObject({
    delivery: 'at-most-once',
    publishConfirm: false,
    resume: false,
    gaps: false,
    dedupe: false,
    backpressure: { inbound: 'pause' },
  })
  expect(Object.isFrozen(transport.capabilities)).toBe(true)
})

test('capabilities stay as they are with a hub', async () => {
  const hub = await startLiteralHub()
  const transport = client(hub)
  const promised = transport.capabilities
  await transport.connect()
  expect(transport.capabilities).toBe(promised)
})

describe('what was demanded before the server was known', () => {
  test('an emit at least once is reported as rejected and not sent', async () => {
    const server = await serve()
    const transport = client(server)
    const refused: Undeliverable[] = []
    transport.on('undeliverable', (notice) => refused.push(notice))
    transport.emit(createEvent('a', 1), { delivery: 'at-least-once' })
    transport.emit(createEvent('a', 2))
    await server.waitUntil(() => server.received.length === 1)
    expect(server.received.map(({ json }) => json)).toMatchObject([{ payload: 2 }])
    const error = expect.objectContaining({ code: 'unsupported', outcome: 'not-sent' })
    expect(refused).toMatchObject([{ reason: 'rejected', error, event: { payload: 1 } }])
    // By now the server is known: it is refused at once.
    expect(transport.emit(createEvent('a', 3), { delivery: 'at-least-once' })).toBe(false)
    expect(refused).toHaveLength(2)
  })

  test('a publish at least once is rejected as unsupported and not sent; the others go', async () => {
    const server = await serve()
    const transport = client(server, { queue: { capacity: 2 } })
    const demands = [0, 1, 2, 3].map((n) =>
      transport.publish(createEvent('a', n), n % 2 === 0 ? { delivery: 'at-least-once' } : {}),
    )
    const ends = await Promise.allSettled(demands)
    expect(ends.map((end) => (end.status === 'fulfilled' ? end.value.status : 'rejected'))).toEqual(
      ['rejected', 'sent', 'rejected', 'sent'],
    )
    expect(ends[0]).toMatchObject({ reason: { code: 'unsupported', outcome: 'not-sent' } })
    await server.waitUntil(() => server.received.length === 2)
    expect(server.received.map(({ json }) => json)).toMatchObject([{ payload: 1 }, { payload: 3 }])
    expect(transport.backpressureStats()).toMatchObject({ size: 0, waiting: 0 })
  })

  test('a subscription at least once is rejected as unsupported; the others live', async () => {
    const server = await serve()
    const transport = client(server)
    const sink = { deliver: () => true }
    const reliable = transport.subscribe(['a'], sink, { delivery: 'at-least-once' })
    const simple = transport.subscribe(['a'], sink)
    await expect(reliable.live).rejects.toMatchObject({ code: 'unsupported' })
    await simple.live
  })

  test('is refused at once when the server is known', async () => {
    const server = await serve()
    const transport = client(server)
    await transport.connect()
    const demand = { delivery: 'at-least-once' } as const
    await expect(transport.publish(createEvent('a', 1), demand)).rejects.toMatchObject({
      code: 'unsupported',
      outcome: 'not-sent',
    })
    expect(() => transport.subscribe(['a'], { deliver: () => true }, demand)).toThrow(/delivery/)
    expect(server.received).toEqual([])
  })
})

test('an event that the fallback cannot write is rejected alone', async () => {
  const server = await serve({ subprotocols: () => false })
  const fallback = plainJson({ codec: textCodec() })
  const transport = client(server, { protocol: busV1({ fallback }) })
  const bad = transport.publish(createEvent('a', { n: 1 }))
  const good = transport.publish(createEvent('a', 'text'))
  await expect(bad).rejects.toMatchObject({ code: 'serialization', outcome: 'not-sent' })
  expect(await good).toMatchObject({ status: 'sent' })
  await server.waitForMessage('text')
})

test('a hub that is replaced by a plain server gets what was not confirmed as plain events', async () => {
  const hub = await startLiteralHub({
    answer: (line) => (/^pub [12] /.test(line) ? undefined : 'ok 0'),
  })
  const transport = client(hub)
  const [confirmed, plain] = [createEvent('a', 1), createEvent('a', 2)]
  const demanding = transport.publish(confirmed, { delivery: 'at-least-once' })
  const simple = transport.publish(plain)
  await hub.hears('pub', 2)
  const { port } = hub.server
  await hub.server.close()
  const server = await serve({ port })
  await expect(demanding).rejects.toMatchObject({ code: 'unsupported', outcome: 'unknown' })
  expect(await simple).toMatchObject({ status: 'sent', attempts: 2 })
  await transport.publish(createEvent('a', 3))
  await server.waitUntil(() => server.received.length === 2)
  expect(server.received.map(({ json }) => json)).toMatchObject([{ payload: 2 }, { payload: 3 }])
})

describe('fallback', () => {
  test('false: a server that does not speak bus.v1 is refused for good', async () => {
    const server = await serve()
    const transport = client(server, { protocol: busV1({ fallback: false }) })
    const notices = record(transport)
    await expect(transport.connect()).rejects.toMatchObject({ code: 'protocol' })
    await until(() => transport.status.state === 'closed', 'the end')
    expect(server.received).toEqual([])
    expect(only(notices, 'open')).toEqual([])
  })

  test('may be another dialect', async () => {
    const server = await serve({ subprotocols: ['json.v7'] })
    const fallback = plainJson({ subprotocols: ['json.v7'] })
    const transport = client(server, { protocol: busV1({ fallback }) })
    await transport.connect()
    expect(transport.status).toMatchObject({ state: 'ready', protocol: 'json.v7' })
  })

  test.each([true, 'plain', {}, { encode: () => '' }])('%j is refused', (fallback) => {
    expect(() => busV1({ fallback: fallback as never })).toThrow(/`fallback`/)
  })

  test('other options do not exist', () => {
    expect(() => busV1({ fallBack: false } as never)).toThrow(/fallBack/)
  })
})

/** A server that answers a request for subprotocols with this status, and takes one without any. */
async function prudent(status: number): Promise<{ url: string; messages: string[] }> {
  const messages: string[] = []
  const sockets = new WebSocketServer({ noServer: true })
  sockets.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => messages.push(data.toString()))
  })
  const server = createServer()
  server.on('upgrade', (request, socket, head) => {
    if (request.headers['sec-websocket-protocol'] === undefined) {
      sockets.handleUpgrade(request, socket, head, (ws) => sockets.emit('connection', ws))
    } else {
      socket.end(`HTTP/1.1 ${status} Refused\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate()
    server.close()
  })
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, messages }
}

describe.each([400, 426])('a server that refuses unknown subprotocols with %i', (status) => {
  test('is spoken to in plain events, also with those that waited [F172]', async () => {
    const server = await prudent(status)
    const transport = client(server)
    const publishes = [1, 2].map((n) => transport.publish(createEvent('a', n)))
    expect((await Promise.all(publishes)).map((receipt) => receipt.status)).toEqual([
      'sent',
      'sent',
    ])
    await until(() => server.messages.length === 2, 'both events')
    expect(server.messages.map((text) => JSON.parse(text) as unknown)).toMatchObject([
      { event_type: 'a', payload: 1 },
      { event_type: 'a', payload: 2 },
    ])
    expect(transport.capabilities).toMatchObject({ delivery: 'at-most-once' })
  })

  test('is refused for good with `fallback: false` [F172]', async () => {
    const transport = client(await prudent(status), { protocol: busV1({ fallback: false }) })
    await expect(transport.connect()).rejects.toMatchObject({ code: 'handshake', status })
    expect(transport.status.state).toBe('closed')
  })

  test('and plain connections as well keeps what bus.v1 promises [F172]', async () => {
    const server = await serve()
    server.faults.refuse(status)
    const transport = client(server)
    await expect(transport.connect()).rejects.toMatchObject({ code: 'handshake', status })
    expect(server.upgrades.map(({ subprotocols }) => subprotocols)).toEqual([['bus.v1'], []])
    expect(transport.capabilities).toMatchObject({ delivery: 'at-least-once' })
  })

  test('after it has spoken bus.v1 has another reason: it stays a hub [F172]', async () => {
    const hub = await startLiteralHub()
    const transport = client(hub, { reconnect: { classify: () => 'transient' } })
    await transport.connect()
    hub.server.faults.refuse(status, { times: 1 })
    hub.server.faults.reset()
    await until(() => hub.server.upgrades.length === 3, 'another connection')
    await transport.connect({ retry: true })
    expect(hub.server.upgrades.map(({ subprotocols }) => subprotocols)).toEqual([
      ['bus.v1'],
      ['bus.v1'],
      ['bus.v1'],
    ])
    expect(transport.status).toMatchObject({ state: 'ready', protocol: 'bus.v1' })
  })
})

describe('a server that takes events and never says a word', () => {
  const suspicions = (transport: WebSocketTransport): string[] => {
    const found: string[] = []
    transport.on('error', ({ kind, error }) => {
      if (kind === 'decode') found.push(error.message)
    })
    return found
  }

  test('is suspected of another dialect, once [F173]', async () => {
    const server = await serve()
    const clock = new FastClock(200)
    const transport = client(server, { clock, heartbeat: false })
    const found = suspicions(transport)
    await transport.publish(createEvent('a', 1))
    await until(() => found.length > 0, 'the suspicion')
    expect(found[0]).toContain('it may expect another dialect')
    server.faults.reset()
    await server.waitForConnection({ index: 1 })
    await transport.publish(createEvent('a', 2))
    // Longer than the first suspicion took.
    await new Promise((resolve) => setTimeout(resolve, 120))
    expect(found).toHaveLength(1)
  })

  test('is not suspected when nothing was sent, when it has answered, or when the dialect was chosen [F173]', async () => {
    const [quiet, answering, chosen] = [await serve(), await serve(), await serve()]
    const options = { heartbeat: false } as const
    const transports = [
      client(quiet, { ...options, clock: new FastClock(200) }),
      client(answering, { ...options, clock: new FastClock(200) }),
      client(chosen, { ...options, clock: new FastClock(200), protocol: plainJson() }),
    ] as const
    const found = transports.map((transport) => suspicions(transport))
    await Promise.all(transports.map((transport) => transport.connect()))
    answering.inject(frameOf('answer', 1))
    await until(() => transports[1].stats().received === 1, 'the answer')
    for (const transport of transports.slice(1)) await transport.publish(createEvent('a', 1))
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(found).toEqual([[], [], []])
  })
})
