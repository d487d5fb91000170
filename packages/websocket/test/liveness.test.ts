import { createEvent } from '@bus/core'
import { describe, expect, test } from 'vitest'
import { busV1Defaults } from '../src/hub/options.ts'
import { defaults } from '../src/index.ts'
import {
  FastClock,
  collect,
  frameOf,
  leavesNothing,
  only,
  record,
  resources,
  serve,
  transportTo,
  until,
} from './harness.ts'

const QUICK = { intervalMs: 20, timeoutMs: 20, maxMissed: 1 }

describe('the heartbeat', () => {
  test('pings at its interval, and the pongs keep the link and measure the round trip', async () => {
    const server = await serve()
    const transport = transportTo(server, { heartbeat: QUICK })
    const notices = record(transport)
    await transport.connect()
    await until(() => (server.connections[0]?.pings ?? 0) >= 4, 'four pings')
    await until(() => transport.status.state === 'ready', 'ready')
    const health = await transport.health()
    expect(health.status).toBe('up')
    expect(health.rttMs).toBeGreaterThanOrEqual(0)
    expect(health.lastInboundAgeMs).toBeGreaterThanOrEqual(0)
    expect(only(notices, 'heartbeat-timeout')).toEqual([])
    expect(server.connections).toHaveLength(1)
  })

  test('ends a link whose pongs stay away and makes a new one, with the loss reported', async () => {
    const server = await serve()
    const transport = transportTo(server, { heartbeat: QUICK })
    const notices = record(transport)
    server.faults.withholdPongs()
    await transport.connect()
    await until(() => only(notices, 'heartbeat-timeout').length > 0, 'the ping is missed')
    server.faults.clear()
    await server.waitForConnection({ index: 1 })
    expect(only(notices, 'heartbeat-timeout')[0]).toMatchObject({ missed: 1 })
    expect(only(notices, 'close')[0]).toMatchObject({ code: 1006, initiatedBy: 'local' })
    expect(only(notices, 'error')[0]).toMatchObject({ error: { code: 'heartbeat-timeout' } })
  })

  test('waits for as many missed pings as maxMissed says, while health says degraded', async () => {
    const server = await serve()
    server.faults.withholdPongs()
    const transport = transportTo(server, { heartbeat: { ...QUICK, maxMissed: 3 } })
    const notices = record(transport)
    const degraded: string[] = []
    transport.on('heartbeat-timeout', () => {
      void transport.health().then((health) => degraded.push(health.status))
    })
    await transport.connect()
    await until(() => only(notices, 'close').length > 0, 'the link ends')
    const missed = only(notices, 'heartbeat-timeout').map((notice) => notice.missed)
    expect(missed.slice(0, 3)).toEqual([1, 2, 3])
    expect(degraded[0]).toBe('degraded')
  })

  test('switched off sends no ping', async () => {
    const server = await serve()
    const transport = transportTo(server, { heartbeat: false, clock: new FastClock(100) })
    await transport.connect()
    await transport.health({ probe: true })
    const before = server.connections[0]?.pings
    // Time enough for some pings of the default interval on this clock.
    const since = performance.now()
    await until(() => performance.now() - since > 600, 'time passes')
    expect(server.connections[0]?.pings).toBe(before)
  })

  test('ends a server that went silent in the middle of a handshake of closing', async () => {
    const server = await serve()
    const before = resources()
    const transport = transportTo(server, { timeouts: { closeMs: 30 } })
    await transport.connect()
    server.faults.stall()
    await transport.close()
    server.faults.clear()
    await expect(leavesNothing(before)).resolves.toBeUndefined()
  })
})

describe('the idle limit', () => {
  const idle = { heartbeat: false, idleTimeoutMs: 60 } as const

  test('ends a link on which nothing arrives, and a new one is made', async () => {
    const server = await serve()
    const transport = transportTo(server, idle)
    const notices = record(transport)
    await server.waitUntil(() => true)
    await transport.connect()
    await server.waitForConnection({ index: 1 })
    expect(only(notices, 'heartbeat-timeout')[0]?.silentMs).toBeGreaterThanOrEqual(60)
    expect(only(notices, 'error')[0]).toMatchObject({ error: { code: 'heartbeat-timeout' } })
  })

  test('is pushed back by any frame: events, and pings of the server', async () => {
    const server = await serve()
    const transport = transportTo(server, { ...idle, idleTimeoutMs: 250 })
    const all = await collect(transport)
    const since = performance.now()
    let n = 0
    await until(() => {
      if (n++ % 10 === 0) server.inject(frameOf('a', n))
      else for (const connection of server.live) connection.ping('p')
      return performance.now() - since > 600
    }, 'more than twice the limit passes')
    expect(server.connections).toHaveLength(1)
    expect(all.events.length).toBeGreaterThan(0)
  })
})

test('an idle limit that no ping could keep, or an answer that may take longer than the interval, is refused [F11]', async () => {
  const server = await serve()
  const refused = (options: object): unknown => {
    try {
      transportTo(server, options)
    } catch (error) {
      return error
    }
    return undefined
  }
  expect(refused({ idleTimeoutMs: 25_000 })).toMatchObject({ path: 'idleTimeoutMs' })
  expect(refused({ idleTimeoutMs: 25_001 })).toBeUndefined()
  const heartbeat = { intervalMs: 60_000, timeoutMs: 60_001 }
  expect(refused({ heartbeat })).toMatchObject({ path: 'heartbeat.timeoutMs' })
  // Below what proxies on the way are set to, which is a minute as a rule.
  expect(defaults.heartbeat.intervalMs).toBe(25_000)
  expect(busV1Defaults.heartbeatMs).toBe(25_000)
})

test('pings of the server are answered once each, although there is no subscription, and are no events', async () => {
  const server = await serve()
  const transport = transportTo(server)
  await transport.connect()
  const [connection] = server.connections
  for (const payload of ['', 'one', Buffer.from([0, 255])]) connection?.ping(payload)
  await until(() => connection?.pongs === 3, 'three pongs')
  await transport.publish(createEvent('a', 1))
  await server.waitForMessage({ event_type: 'a' })
  expect(connection?.pongs).toBe(3)
  expect(transport.stats().received).toBe(0)
})

test('neither pings nor pongs of the server reach a handler, with a payload or without', async () => {
  const server = await serve()
  const transport = transportTo(server)
  const notices = record(transport)
  const all = await collect(transport)
  const [connection] = server.connections
  // Frames of two bytes and of four: a pong that nobody asked for is allowed.
  server.faults.sendRaw(Buffer.from([0x8a, 0x00, 0x8a, 0x02, 0x7b, 0x7d]))
  connection?.ping('')
  connection?.ping('{}')
  server.inject(frameOf('a', 1))
  await until(() => connection?.pongs === 2 && all.events.length === 1, 'all of it was read')
  expect(all.payloads).toEqual([1])
  expect(transport.stats().received).toBe(1)
  expect(only(notices, 'error')).toEqual([])
  expect(server.live).toHaveLength(1)
})

describe('health', () => {
  test('is down before the first link and says what makes one, up with it, degraded while it is made again, down at the end', async () => {
    const server = await serve()
    const transport = transportTo(server, { reconnect: { backoff: () => 60_000 } })
    expect(await transport.health()).toMatchObject({
      status: 'down',
      reasons: ['Not connected yet: the first publish or subscription connects, or connect()'],
      breaker: 'closed',
      queue: { size: 0 },
    })
    await transport.connect()
    expect(await transport.health()).toMatchObject({ status: 'up', reasons: [] })
    server.faults.refuse(503)
    server.faults.reset()
    await until(() => transport.status.state === 'backoff', 'lost')
    const health = await transport.health()
    expect(health).toMatchObject({ status: 'degraded' })
    expect(health.reasons[0]).toMatch(/Waiting 60000 ms/)
    await transport.close()
    expect(await transport.health()).toMatchObject({ status: 'down', reasons: ['Closed'] })
  })

  test('is degraded while the breaker is half-open, also with a link', async () => {
    const server = await serve()
    server.faults.refuse(503, { times: 1 })
    const breaker = { failureThreshold: 1, openMs: 10, successThreshold: 9 }
    const transport = transportTo(server, { breaker })
    await transport.connect({ retry: true })
    expect(transport.status.state).toBe('ready')
    expect(await transport.health()).toMatchObject({
      status: 'degraded',
      breaker: 'half-open',
      reasons: ['The circuit breaker is half-open'],
    })
  })

  test('of a link whose other side is dead is not up when it is probed', async () => {
    const server = await serve()
    const transport = transportTo(server)
    await transport.connect()
    expect(await transport.health({ probe: true })).toMatchObject({ status: 'up' })
    server.faults.withholdPongs()
    expect(await transport.health()).toMatchObject({ status: 'up' })
    expect(await transport.health({ probe: true, timeoutMs: 20 })).toMatchObject({
      status: 'degraded',
      reasons: ['The probe was not answered'],
    })
    const probe = transport.health({ probe: true, signal: AbortSignal.timeout(10) })
    await expect(probe).rejects.toMatchObject({ code: 'aborted' })
  })

  test('names a queue that is filling up', async () => {
    const server = await serve()
    server.faults.hangUpgrade()
    const transport = transportTo(server, { queue: { capacity: 4, warningThreshold: 0.5 } })
    for (const n of [1, 2, 3]) transport.emit(createEvent('a', n))
    const { reasons } = await transport.health()
    expect(reasons).toContain('The outbox is 75 % full')
  })
})
