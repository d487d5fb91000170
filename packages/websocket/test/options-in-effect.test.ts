import { Agent } from 'node:http'
import { RateLimiter } from '@bus/rate-limit'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { InMemoryMetrics, createEvent } from '@bus/core'
import { plainJson } from '@bus/websocket/protocol'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import {
  webSocketTransport,
  type HeartbeatSettings,
  type ReconnectOptions,
  type TimeoutOptions,
  type TlsOptions,
  type ConnectionWatch,
  type WebSocketTransportOptions,
} from '../src/index.ts'
import { identity, serveTls, type Identity, type TlsPeer } from './certificates.ts'
import { Kid } from './kid.ts'
import { FastClock, collect, frameOf, only, record, serve, transportTo, until } from './harness.ts'

type BreakerOptions = Exclude<WebSocketTransportOptions['breaker'], false | undefined>
type QueueOptions = NonNullable<WebSocketTransportOptions['queue']>

/** Every option, nested ones too: one that is added without a line below does not compile. */
type OptionPath =
  | Exclude<
      keyof WebSocketTransportOptions,
      'tls' | 'timeouts' | 'reconnect' | 'heartbeat' | 'breaker' | 'queue'
    >
  | `tls.${keyof TlsOptions}`
  | `timeouts.${keyof TimeoutOptions}`
  | 'reconnect: false'
  | `reconnect.${keyof ReconnectOptions}`
  | 'heartbeat: false'
  | `heartbeat.${keyof HeartbeatSettings}`
  | 'breaker: false'
  | `breaker.${keyof BreakerOptions}`
  | `queue.${keyof QueueOptions}`

let own: Identity
let client: Identity
beforeAll(async () => {
  own = await identity('127.0.0.1')
  client = await identity('client')
})

async function tlsPeer(): Promise<TlsPeer> {
  return await serveTls({ ...own, requestCert: true, rejectUnauthorized: false })
}

async function clientName(tls: TlsOptions): Promise<string | undefined> {
  const peer = await tlsPeer()
  await transportTo(peer, { tls: { ca: own.cert, ...tls } }).connect()
  return peer.links[0]?.clientName
}

const HANG = { timeouts: { connectMs: 60_000 } }

const effects: Record<OptionPath, () => Promise<void>> = {
  url: async () => {
    const [one, two] = [await serve(), await serve()]
    await transportTo({ url: `${two.url}a?b=c` }).connect()
    expect([one.upgradeAttempts, two.upgrades[0]?.url]).toEqual([0, '/a?b=c'])
  },
  protocol: async () => {
    const server = await serve()
    const protocol = { ...plainJson(), encode: () => 'encoded by it' }
    await transportTo(server, { protocol }).publish(createEvent('a', 1))
    await server.waitForMessage('encoded by it')
  },
  protocols: async () => {
    const server = await serve()
    await transportTo(server, { protocols: ['p1'] }).connect()
    expect(server.upgrades[0]?.subprotocols).toEqual(['p1'])
  },
  headers: async () => {
    const server = await serve()
    await transportTo(server, { headers: { 'x-a': 'b' } }).connect()
    expect(server.upgrades[0]?.headers['x-a']).toBe('b')
  },
  'tls.ca': async () => {
    const server = await serve({ tls: own })
    await transportTo(server, { tls: { ca: own.cert } }).connect()
  },
  'tls.cert': async () => expect(await clientName({ ...client })).toBe('client'),
  'tls.key': async () => expect(await clientName({ ...client })).toBe('client'),
  agent: async () => {
    const server = await serve()
    const agent = new Agent()
    const createConnection = vi.spyOn(agent, 'createConnection' as never)
    await transportTo(server, { agent }).connect()
    expect(createConnection).toHaveBeenCalledTimes(1)
  },
  unref: async () => {
    const server = await serve()
    const kid = new Kid(`
      import { webSocketTransport } from '@bus/websocket'
      await webSocketTransport({ url: '${server.url}', unref: true }).connect()
    `)
    await expect(kid.ended).resolves.toEqual({ code: 0, signal: null })
  },
  'tls.servername': async () => {
    const peer = await tlsPeer()
    const tls = { ca: own.cert, servername: 'other.example' }
    await expect(transportTo(peer, { tls }).connect()).rejects.toMatchObject({
      message: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID') as string,
    })
  },
  'tls.rejectUnauthorized': async () => {
    await transportTo(await tlsPeer(), { tls: { rejectUnauthorized: false } }).connect()
  },
  'timeouts.connectMs': async () => {
    const server = await serve()
    server.faults.hangUpgrade()
    const transport = transportTo(server, { timeouts: { connectMs: 20 } })
    await expect(transport.connect()).rejects.toMatchObject({ code: 'timeout' })
  },
  'timeouts.bootstrapMs': async () => {
    const server = await serve()
    const onOpen = (): Promise<never> => new Promise(() => {})
    const transport = transportTo(server, { onOpen, timeouts: { bootstrapMs: 20 } })
    await expect(transport.connect()).rejects.toMatchObject({ code: 'timeout' })
  },
  'timeouts.closeMs': async () => {
    const server = await serve()
    const patient = transportTo(server, { timeouts: { closeMs: 600_000 } })
    const hasty = transportTo(server, { timeouts: { closeMs: 20 } })
    await Promise.all([patient.connect(), hasty.connect()])
    server.faults.stall()
    let isOver = false
    const closed = patient.close().then(() => (isOver = true))
    await hasty.close()
    expect(isOver).toBe(false)
    server.faults.clear()
    await closed
  },
  onOpen: async () => {
    const server = await serve()
    await transportTo(server, { onOpen: () => ['hello'] }).connect()
    await server.waitForMessage('hello')
  },
  'reconnect: false': async () => {
    const server = await serve()
    const transport = transportTo(server, { reconnect: false })
    await transport.connect()
    server.faults.reset()
    await until(() => transport.status.state === 'closed', 'closed')
  },
  'reconnect.backoff': async () => {
    const server = await serve()
    server.faults.refuse(503)
    const transport = transportTo(server, { reconnect: { backoff: () => 4_321 } })
    await transport.connect().catch(() => {})
    await until(() => transport.status.state === 'backoff', 'backoff')
    expect(transport.status).toMatchObject({ delayMs: 4_321 })
  },
  'reconnect.maxAttempts': async () => {
    const server = await serve()
    server.faults.refuse(503)
    const transport = transportTo(server, { reconnect: { maxAttempts: 1 } })
    await transport.connect({ retry: true }).catch(() => {})
    expect(server.upgradeAttempts).toBe(2)
  },
  'reconnect.stableAfterMs': async () => {
    const server = await serve()
    const attempts: number[] = []
    const backoff = (attempt: number): number => (attempts.push(attempt), 0)
    const transport = transportTo(server, { reconnect: { backoff, stableAfterMs: 10 } })
    for (let n = 0; n < 2; n++) {
      await transport.connect({ retry: true })
      const { since } = transport.status
      await until(() => performance.now() - since > 20, 'it lasts')
      server.faults.reset()
      await until(() => attempts.length === n + 1, 'lost')
    }
    expect(attempts).toEqual([1, 1])
  },
  'reconnect.giveUpAfterMs': async () => {
    const server = await serve()
    server.faults.refuse(503)
    const reconnect = { giveUpAfterMs: 20, backoff: () => 60_000 }
    const transport = transportTo(server, { reconnect })
    await expect(transport.connect({ retry: true })).rejects.toMatchObject({
      code: 'attempts-exhausted',
    })
  },
  'reconnect.classify': async () => {
    const server = await serve()
    server.faults.refuse(404, { times: 1 })
    const transport = transportTo(server, { reconnect: { classify: () => 'transient' } })
    await transport.connect({ retry: true })
  },
  'heartbeat: false': async () => {
    const server = await serve()
    const clock = new FastClock(100)
    const transport = transportTo(server, { heartbeat: false, clock })
    await transport.connect()
    expect(clock.waits.filter((ms) => ms <= 25_000 && ms !== 10_000)).toEqual([])
  },
  'heartbeat.intervalMs': async () => {
    const server = await serve()
    await transportTo(server, { heartbeat: { intervalMs: 10, timeoutMs: 10 } }).connect()
    await until(() => (server.connections[0]?.pings ?? 0) >= 3, 'three pings')
  },
  'heartbeat.timeoutMs': async () => {
    const server = await serve()
    server.faults.withholdPongs()
    const heartbeat = { intervalMs: 60_000, timeoutMs: 10 }
    const transport = transportTo(server, { heartbeat, random: () => 0 })
    await transport.connect()
    await server.waitForConnection({ index: 1 })
  },
  'heartbeat.maxMissed': async () => {
    const server = await serve()
    server.faults.withholdPongs()
    const heartbeat = { intervalMs: 20, timeoutMs: 10, maxMissed: 3 }
    const transport = transportTo(server, { heartbeat })
    const notices = record(transport)
    await transport.connect()
    await until(() => only(notices, 'close').length === 1, 'lost')
    expect(only(notices, 'heartbeat-timeout').map(({ missed }) => missed)).toEqual([1, 2, 3])
  },
  applicationHeartbeat: async () => {
    const server = await serve()
    const applicationHeartbeat = { name: 'own', intervalMs: 5, onTick: () => 'alive' }
    await transportTo(server, { applicationHeartbeat }).connect()
    await server.waitForMessage('alive')
  },
  idleTimeoutMs: async () => {
    const server = await serve()
    const transport = transportTo(server, { heartbeat: false, idleTimeoutMs: 30 })
    await transport.connect()
    await server.waitForConnection({ index: 1 })
  },
  'breaker: false': async () => {
    const server = await serve()
    server.faults.refuse(503, { times: 8 })
    await transportTo(server, { breaker: false }).connect({ retry: true })
  },
  'breaker.failureThreshold': async () => {
    const server = await serve()
    server.faults.refuse(503)
    const transport = transportTo(server, { breaker: { failureThreshold: 2 } })
    transport.connect().catch(() => {})
    await until(() => transport.breaker?.state === 'open', 'open')
    expect(server.upgradeAttempts).toBe(2)
  },
  'breaker.openMs': async () => {
    const server = await serve()
    server.faults.refuse(503)
    const transport = transportTo(server, {
      breaker: { failureThreshold: 1, openMs: 20 },
      reconnect: { backoff: () => 60_000 },
    })
    transport.connect().catch(() => {})
    await until(() => transport.breaker?.state === 'half-open', 'half-open without an attempt')
    expect(server.upgradeAttempts).toBe(1)
  },
  'breaker.successThreshold': async () => {
    const server = await serve()
    server.faults.refuse(503, { times: 1 })
    const breaker = { failureThreshold: 1, openMs: 10, successThreshold: 1 }
    const transport = transportTo(server, { breaker })
    await transport.connect({ retry: true })
    const states = [transport.breaker?.state]
    server.faults.refuse(503, { times: 1 })
    const slow = transportTo(server, { breaker: { ...breaker, successThreshold: 9 } })
    await slow.connect({ retry: true })
    states.push(slow.breaker?.state)
    expect(states).toEqual(['closed', 'half-open'])
  },
  'queue.capacity': async () => {
    const server = await serve()
    server.faults.hangUpgrade()
    const transport = transportTo(server, { ...HANG, queue: { capacity: 1, strategy: 'reject' } })
    transport.publish(createEvent('a', 1)).catch(() => {})
    await expect(transport.publish(createEvent('a', 2))).rejects.toMatchObject({
      code: 'queue-full',
    })
  },
  'queue.maxBytes': async () => {
    const server = await serve()
    server.faults.hangUpgrade()
    const transport = transportTo(server, { ...HANG, queue: { maxBytes: 400, strategy: 'reject' } })
    transport.publish(createEvent('a', 'x'.repeat(100))).catch(() => {})
    await expect(transport.publish(createEvent('a', 'x'.repeat(100)))).rejects.toMatchObject({
      code: 'queue-full',
    })
  },
  'queue.strategy': async () => {
    const server = await serve()
    server.faults.hangUpgrade()
    const queue = { capacity: 1, strategy: 'drop-newest' as const }
    const transport = transportTo(server, { ...HANG, queue })
    transport.publish(createEvent('a', 1)).catch(() => {})
    await expect(transport.publish(createEvent('a', 2))).rejects.toMatchObject({ code: 'dropped' })
  },
  'queue.warningThreshold': async () => {
    const server = await serve()
    server.faults.hangUpgrade()
    const transport = transportTo(server, { ...HANG, queue: { warningThreshold: 0.002 } })
    const notices = record(transport)
    for (const n of [1, 2]) transport.emit(createEvent('a', n))
    expect(only(notices, 'backpressure')).toMatchObject([{ level: 'high' }])
  },
  admission: async () => {
    const admission = new RateLimiter({ capacity: 1, onLimit: 'reject' })
    const transport = transportTo(await serve(), { admission })
    await transport.publish(createEvent('a', 1))
    await expect(transport.publish(createEvent('a', 2))).rejects.toMatchObject({
      code: 'rate-limited',
    })
  },
  whenDisconnected: async () => {
    const transport = transportTo(await serve(), { whenDisconnected: 'reject' })
    await expect(transport.publish(createEvent('a', 1))).rejects.toMatchObject({
      code: 'disconnected',
    })
  },
  maxAttempts: async () => {
    const server = await serve()
    server.faults.stall()
    const transport = transportTo(server, {
      maxAttempts: 1,
      maxMessageBytes: 40_000_000,
      queue: { maxBytes: 40_000_000 },
    })
    const publish = transport.publish(createEvent('a', 'x'.repeat(20_000_000)))
    publish.catch(() => {})
    await transport.connect()
    await new Promise((resolve) => setImmediate(resolve))
    server.faults.reset()
    await expect(publish).rejects.toMatchObject({ code: 'attempts-exhausted' })
  },
  highWaterMarkBytes: async () => {
    const server = await serve()
    server.faults.stall()
    const big = { maxMessageBytes: 40_000_000, queue: { maxBytes: 80_000_000 } }
    const timeouts = { closeMs: 50 }
    const transport = transportTo(server, { ...big, timeouts, highWaterMarkBytes: 1 })
    await transport.connect()
    const publishes = ['x', 'y'].map((c) =>
      transport.publish(createEvent('a', c.repeat(20_000_000))).catch((e: unknown) => e),
    )
    await new Promise((resolve) => setImmediate(resolve))
    await transport.close()
    const outcomes = (await Promise.all(publishes)).map((e) => (e as { outcome: string }).outcome)
    expect(outcomes).toEqual(['unknown', 'not-sent'])
  },
  maxMessageBytes: async () => {
    const server = await serve()
    const transport = transportTo(server, { maxMessageBytes: 300 })
    await expect(transport.publish(createEvent('a', 'x'.repeat(300)))).rejects.toMatchObject({
      code: 'too-large',
    })
    await transport.connect()
    server.inject(frameOf('a', 'x'.repeat(300)))
    await server.waitForConnection({ index: 1 })
  },
  compression: async () => {
    const server = await serve({ perMessageDeflate: true, handler: 'echo' })
    const transport = transportTo(server, { compression: true })
    const all = await collect(transport)
    await transport.publish(createEvent('a', 'x'.repeat(5_000)))
    await until(() => all.events.length === 1, 'the echo')
    await transportTo(server).connect()
    const offers = server.upgrades.map(({ headers }) => headers['sec-websocket-extensions'])
    expect(offers).toEqual([expect.stringContaining('permessage-deflate'), undefined])
  },
  allowInsecure: async () => {
    const server = await serve()
    // An address that does not look like this machine, and leads to it.
    const url = server.url.replace('127.0.0.1', '0.0.0.0')
    const headers = { authorization: 'Bearer t' }
    expect(() => transportTo({ url }, { headers })).toThrow('`allowInsecure: true`')
    await transportTo({ url }, { headers, allowInsecure: true }).connect()
    expect(server.upgrades[0]?.headers['authorization']).toBe('Bearer t')
  },
  telemetry: async () => {
    const ids: unknown[] = []
    const note = (notice: unknown): void => void ids.push((notice as { id: unknown }).id)
    subscribe('own.connection.open', note)
    await transportTo(await serve(), { telemetry: { prefix: 'own', id: 'seven' } }).connect()
    unsubscribe('own.connection.open', note)
    expect(ids).toEqual(['seven'])
  },
  metrics: async () => {
    const metrics = new InMemoryMetrics()
    await transportTo(await serve(), { metrics }).connect()
    expect(metrics.get('connections.opened')).toBe(1)
  },
  watch: async () => {
    const server = await serve()
    const urls: string[] = []
    const opened: string[] = []
    const watch = (url: string): ConnectionWatch => {
      urls.push(url)
      return {
        opened: (protocol) => opened.push(protocol),
        message: () => {},
        control: () => {},
        closing: () => {},
        closed: () => {},
      }
    }
    await transportTo(server, { watch: { watch } }).connect()
    expect([urls, opened]).toEqual([[server.url], ['']])
  },
  clock: async () => {
    const clock = new FastClock(1)
    await transportTo(await serve(), { clock }).connect()
    expect(clock.waits.length).toBeGreaterThan(0)
  },
  random: async () => {
    const server = await serve()
    server.faults.refuse(503)
    const transport = webSocketTransport({ url: server.url, random: () => 0.5 })
    await transport.connect().catch(() => {})
    await until(() => transport.status.state === 'backoff', 'backoff')
    expect(transport.status).toMatchObject({ delayMs: 125 })
    await transport.close()
  },
}

describe('an option that is given has its effect:', () => {
  test.each(Object.entries(effects))('%s', async (_path, effect) => {
    expect(await effect().then(() => 'in effect')).toBe('in effect')
  })
})
