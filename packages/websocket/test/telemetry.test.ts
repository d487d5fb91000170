import { createBus, createEvent, telemetry, type TelemetryNotices } from '@bus/core'
import { RateLimiter } from '@bus/rate-limit'
import { channelDialect, serveChannels } from '@bus/test-support/websocket'
import { WebSocketTransport, busV1, type WebSocketTransportOptions } from '../src/index.ts'
import { collect, cut, frameOf, serve, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, onTestFinished, test } from 'vitest'

/** What is published under the name while the test runs. */
function listen<K extends keyof TelemetryNotices>(
  name: K,
  prefix: string = 'bus',
): TelemetryNotices[K][] {
  return heardOn(name.replace('bus', prefix)) as TelemetryNotices[K][]
}

function heardOn(name: string): unknown[] {
  const heard: unknown[] = []
  const note = (message: unknown): void => void heard.push(message)
  subscribe(name, note)
  onTestFinished(() => void unsubscribe(name, note))
  return heard
}

/** Every payload has the keys that the frozen list names, no more and no less. */
function expectKeys(name: keyof TelemetryNotices, payloads: readonly object[]): void {
  expect(payloads.length).toBeGreaterThan(0)
  for (const payload of payloads) {
    expect(Object.keys(payload).toSorted()).toEqual(telemetry.payloads[name])
  }
}

const ID = { transport: 'websocket', id: 'orders' }
const named: Pick<WebSocketTransportOptions, 'telemetry'> = { telemetry: { id: 'orders' } }

test('dialing, changes of status, waits before an attempt and the breaker are published on their channels', async () => {
  const statuses = listen('bus.status')
  const reconnects = listen('bus.reconnect')
  const breakers = listen('bus.breaker')
  const dials = heardOn(tracingChannel('bus.connect').start.name as string)
  const server = await serve()
  server.faults.refuse(503, { times: 2 })
  const transport = transportTo(server, {
    ...named,
    breaker: { failureThreshold: 2, openMs: 20, successThreshold: 1 },
  })
  await transport.connect({ retry: true })
  await until(() => breakers.length === 3, 'the breaker closes again')
  expect(dials).toMatchObject([
    { ...ID, attempt: 1 },
    { ...ID, attempt: 2 },
    { ...ID, attempt: 3 },
  ])
  expect(breakers).toMatchObject([{ state: 'open' }, { state: 'half-open' }, { state: 'closed' }])
  expect(reconnects).toMatchObject([
    { ...ID, attempt: 1, cause: { code: 'handshake' } },
    { attempt: 2 },
  ])
  expect(statuses.at(-1)).toMatchObject({ ...ID, status: { state: 'ready' } })
  expectKeys('bus.status', statuses)
  expectKeys('bus.reconnect', reconnects)
  expectKeys('bus.breaker', breakers)
})

describe('a connection', () => {
  test('reports its upgrade, its opening and its end once each, with how long they took', async () => {
    const upgrades = listen('bus.connection.upgrade')
    const opens = listen('bus.connection.open')
    const closes = listen('bus.connection.close')
    const server = await serve()
    const url = `${server.url}feed?token=canary`
    const transport = transportTo({ url }, named)
    await transport.connect()
    await cut(server, transport)
    await until(() => opens.length === 2, 'the second link')
    await transport.close({ code: 1000, reason: 'done' })
    expect(upgrades).toMatchObject([
      { ...ID, attempt: 1, generation: 1 },
      { ...ID, generation: 2 },
    ])
    expect(opens).toMatchObject([
      { ...ID, generation: 1, reconnected: false },
      { ...ID, generation: 2, reconnected: true },
    ])
    expect(closes).toMatchObject([
      { ...ID, code: 1006, initiatedBy: 'remote', wasClean: false },
      { ...ID, code: 1000, initiatedBy: 'local', wasClean: true },
    ])
    for (const { durationMs } of [...upgrades, ...opens, ...closes]) {
      expect(durationMs).toBeGreaterThanOrEqual(0)
    }
    expect(JSON.stringify(opens)).not.toContain('canary')
    expectKeys('bus.connection.upgrade', upgrades)
    expectKeys('bus.connection.open', opens)
    expectKeys('bus.connection.close', closes)
  })

  test('reports a failed attempt once, and a lost link is none', async () => {
    const failures = listen('bus.connection.failure')
    const server = await serve()
    server.faults.refuse(503, { times: 1 })
    const transport = transportTo(server, named)
    await transport.connect({ retry: true })
    await cut(server, transport)
    await until(() => transport.stats().reconnects === 1, 'the next link')
    expect(failures).toMatchObject([{ ...ID, attempt: 1, error: { code: 'handshake' } }])
    expectKeys('bus.connection.failure', failures)
  })

  test('reports the attempt after which nothing is tried any more', async () => {
    const failures = listen('bus.connection.failure')
    const server = await serve()
    server.faults.refuse(401)
    const transport = transportTo(server, named)
    await expect(transport.connect()).rejects.toMatchObject({ code: 'auth' })
    expect(failures).toMatchObject([{ attempt: 1, error: { code: 'auth' } }])
  })

  test('reports a ping without an answer', async () => {
    const timeouts = listen('bus.connection.timeout')
    const server = await serve()
    server.faults.withholdPongs()
    await transportTo(server, {
      ...named,
      heartbeat: { intervalMs: 20, timeoutMs: 20 },
      reconnect: false,
    }).connect()
    await until(() => timeouts.length === 1, 'the ping is missed')
    expect(timeouts).toMatchObject([{ ...ID, missed: 1 }])
    expectKeys('bus.connection.timeout', timeouts)
  })
})

test('a hand-over is reported once on each side, and is neither an end nor an opening', async () => {
  const handovers = listen('bus.connection.handover')
  const links = [listen('bus.connection.open'), listen('bus.connection.close')]
  const server = await serve()
  const transport = transportTo(server, named)
  await transport.connect()
  const next = WebSocketTransport.adopt(await transport.detach())
  onTestFinished(() => next.close())
  expect(handovers).toEqual([
    { ...ID, action: 'detached' },
    { ...ID, action: 'adopted' },
  ])
  expect(links.map((each) => each.length)).toEqual([1, 0])
  expectKeys('bus.connection.handover', handovers)
  expect(next.metrics()).toMatchObject({ id: 'orders', state: 'ready', links: { made: 1 } })
})

describe('the gauge', () => {
  test('is reported on both edges, and not in between', async () => {
    const gauge = listen('bus.connection.up')
    const server = await serve()
    const transport = transportTo(server, named)
    await transport.connect()
    expect(gauge.map(({ value }) => value)).toEqual([1])
    await cut(server, transport)
    await until(() => gauge.length === 3, 'up again')
    server.faults.refuse(503, { times: 3 })
    await cut(server, transport)
    await until(() => gauge.length === 5, 'up again, after three refusals')
    await transport.close()
    expect(gauge.map(({ value }) => value)).toEqual([1, 0, 1, 0, 1, 0])
    expect(gauge[0]).toMatchObject(ID)
    expectKeys('bus.connection.up', gauge)
  })

  test('stays up while a live link is drained, and never rises without a link', async () => {
    const gauge = listen('bus.connection.up')
    const server = await serve()
    const transport = transportTo(server, named)
    await transport.connect()
    await transport.drain()
    expect(gauge.map(({ value }) => value)).toEqual([1, 0])
    server.faults.refuse(401)
    await expect(transportTo(server).connect()).rejects.toMatchObject({ code: 'auth' })
    expect(gauge).toHaveLength(2)
  })
})

describe('messages', () => {
  test('are reported once each in both directions, with their bytes and form', async () => {
    const server = await serve()
    const transport = transportTo(server, named)
    const all = await collect(transport)
    await transport.connect()
    const sent = listen('bus.message.sent')
    const received = listen('bus.message.received')
    await transport.publish(createEvent('order.created', 'Grüße'))
    const message = await server.waitForMessage(/Grüße/)
    const frame = frameOf('order.paid', 'ä')
    server.inject(frame)
    server.inject(Buffer.from(frame))
    await until(() => all.events.length === 2, 'both events')
    expect(sent).toEqual([{ ...ID, bytes: Buffer.byteLength(String(message.data)), binary: false }])
    const bytes = Buffer.byteLength(frame)
    expect(received).toEqual([
      { ...ID, bytes, binary: false },
      { ...ID, bytes, binary: true },
    ])
    expectKeys('bus.message.sent', sent)
    expectKeys('bus.message.received', received)
  })

  test('of bus.v1 are reported as what they are on the wire', async () => {
    const sent = listen('bus.message.sent')
    const received = listen('bus.message.received')
    const hub = await startHub()
    const transport = transportTo(hub, { ...named, protocol: busV1() })
    await transport.connect()
    const before = { sent: sent.length, received: received.length }
    expect(before.sent).toBeGreaterThan(0) // hello
    expect(before.received).toBeGreaterThan(0) // welcome
    await transport.publish(createEvent('order.created', { n: 1 }))
    expect(sent.length).toBeGreaterThan(before.sent)
    expect(received.length).toBeGreaterThan(before.received)
    expect(sent.every(({ binary, bytes }) => !binary && bytes > 0)).toBe(true)
  })
})

describe('subscriptions', () => {
  test('are reported when they are added, restored, not restored, and removed', async () => {
    const added = listen('bus.subscription.added')
    const removed = listen('bus.subscription.removed')
    const restored = listen('bus.subscription.restored')
    const failed = listen('bus.subscription.failed')
    const server = await serveChannels()
    const transport = transportTo(server, { ...named, protocol: channelDialect() })
    const { feed } = await collect(transport, 'a', 'b')
    await collect(transport, 'c')
    expect([added, restored, failed]).toEqual([
      [
        { ...ID, patterns: ['a', 'b'] },
        { ...ID, patterns: ['c'] },
      ],
      [],
      [],
    ])
    server.refused.add('b')
    await cut(server.mock, transport)
    await until(() => restored.length === 1, 'restored')
    expect(restored).toEqual([{ ...ID, patterns: ['a', 'c'] }])
    expect(failed).toMatchObject([{ ...ID, patterns: ['b'], error: { code: 'rejected' } }])
    await feed.unsubscribe()
    expect(removed).toEqual([{ ...ID, patterns: ['a', 'b'] }])
    await transport.close()
    expect(removed).toHaveLength(2)
    expectKeys('bus.subscription.added', added)
    expectKeys('bus.subscription.removed', removed)
    expectKeys('bus.subscription.restored', restored)
    expectKeys('bus.subscription.failed', failed)
  })
})

describe('a rate limit', () => {
  test('reports what waits and what is refused, once each', async () => {
    const queued = listen('bus.rate.queued')
    const rejected = listen('bus.rate.rejected')
    const server = await serve()
    const bucket = { capacity: 1, refill: 1, intervalMs: 30 }
    const patient = transportTo(server, { ...named, admission: new RateLimiter(bucket) })
    await Promise.all([1, 2].map((n) => patient.publish(createEvent('a', n))))
    expect(queued).toMatchObject([{ ...ID, cost: 1 }])
    const strict = transportTo(server, {
      ...named,
      admission: new RateLimiter({ ...bucket, intervalMs: 60_000, onLimit: 'reject' }),
    })
    await strict.publish(createEvent('a', 1))
    await expect(strict.publish(createEvent('a', 2))).rejects.toMatchObject({
      code: 'rate-limited',
    })
    expect(rejected).toMatchObject([{ ...ID, cost: 1 }])
    expectKeys('bus.rate.queued', queued)
    expectKeys('bus.rate.rejected', rejected)
  })
})

describe('errors', () => {
  test('are reported once each over a bus, also when its events have no listeners', async () => {
    const errors = listen('bus.error')
    const server = await serve()
    server.faults.refuse(503, { times: 1 })
    const bus = createBus({ transport: transportTo(server) })
    await bus.connect({ retry: true })
    expect(errors).toMatchObject([
      { source: 'websocket', kind: 'connection', error: { code: 'handshake' } },
    ])
    server.inject('no event')
    await until(() => errors.length === 2, 'the bad frame')
    expect(errors[1]).toMatchObject({ kind: 'decode', error: { code: 'decode' } })
    expectKeys('bus.error', errors)
  })
})

describe('a prefix of its own', () => {
  test('stands before everything that one transport and its bus report', async () => {
    const server = await serve()
    const theirs = [listen('bus.status'), listen('bus.connection.open'), listen('bus.error')]
    const status = listen('bus.status', 'acme.shop')
    const opens = listen('bus.connection.open', 'acme.shop')
    const errors = listen('bus.error', 'acme.shop')
    const letters = listen('bus.dead-letter', 'acme.shop')
    const publishes = heardOn('tracing:acme.shop.publish:start')
    const deliveries = heardOn('tracing:acme.shop.deliver:start')
    const prefix = 'acme.shop'
    const transport = transportTo(server, { telemetry: { prefix } })
    const bus = createBus({ transport, telemetry: { prefix } })
    await bus.subscribe('order.*', () => {
      throw new Error('no')
    })
    await bus.publish('order.created', 1)
    server.inject(frameOf('order.created', 2))
    await until(() => letters.length === 1, 'the letter')
    expect([publishes.length, deliveries.length, errors.length]).toEqual([1, 1, 1])
    expect(status.length).toBeGreaterThan(0)
    expect(opens).toHaveLength(1)
    expect(theirs).toEqual([[], [], []])
  })

  test('belongs to one transport, and two without an id have two of their own', async () => {
    const opens = listen('bus.connection.open')
    const others = listen('bus.connection.open', 'other')
    const server = await serve()
    await transportTo(server, { telemetry: { prefix: 'other' } }).connect()
    await transportTo(server).connect()
    await transportTo(server).connect()
    expect(others).toHaveLength(1)
    expect(new Set(opens.map(({ id }) => id)).size).toBe(2)
  })
})
