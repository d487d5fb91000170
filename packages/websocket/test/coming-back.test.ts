/** Many clients, or two with one name, that come back after a loss: not all at once, and not for ever. */
import { backoff, createEvent } from '@bus/core'
import { seededRandom, startChaosProxy } from '@bus/testing/chaos'
import { expect, onTestFinished, test } from 'vitest'
import { busV1, defaults, webSocketTransport, type WebSocketTransport } from '../src/index.ts'
import { createHub, type Hub } from '../src/hub/index.ts'
import { FastClock, collect, serve, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { greet } from './wire-client.ts'

const CLIENTS = 100

/** Clients as an application makes them, but for seeds of their own and less noise between tests. */
function crowd(url: string): WebSocketTransport[] {
  return Array.from({ length: CLIENTS }, (_, n) => {
    const transport = webSocketTransport({ url, protocol: busV1(), random: seededRandom(n + 1) })
    onTestFinished(() => transport.close())
    return transport
  })
}

/** How long each waits after its first loss. */
function firstWaits(transports: readonly WebSocketTransport[]): number[] {
  const waits: number[] = []
  for (const transport of transports) {
    transport.on('status', ({ status }) => {
      if (status.state === 'backoff' && status.attempt === 1) waits.push(status.delayMs)
    })
  }
  return waits
}

/** The fullest of ten equal parts of the time. */
function busiestTenth(waits: readonly number[], overMs: number): number {
  const tenths = Array<number>(10).fill(0)
  for (const ms of waits) {
    const tenth = Math.min(Math.floor((ms / overMs) * 10), 9)
    tenths[tenth] = (tenths[tenth] ?? 0) + 1
  }
  return Math.max(...tenths)
}

async function restart(hub: Hub, spreadMs?: number): Promise<Hub> {
  const { port } = hub
  await hub.drain(spreadMs === undefined ? {} : { spreadMs })
  await hub.close()
  const next = await createHub({ allowAnonymous: true, port })
  onTestFinished(() => next.close())
  return next
}

test.each([
  ['over the first backoff, when nobody says anything', undefined, defaults.backoff.initialMs],
  ['over the time that the hub names', 2_000, 2_000 + defaults.backoff.initialMs],
])(
  'a crowd that lost its hub comes back spread %s, with the very first attempt [F36]',
  async (_how, spreadMs, overMs) => {
    const hub = await startHub()
    const clients = crowd(hub.url)
    await Promise.all(clients.map((client) => client.connect()))
    const waits = firstWaits(clients)
    const next = await restart(hub, spreadMs)
    await until(() => next.stats().connections === CLIENTS, 'all are back')
    expect(waits).toHaveLength(CLIENTS)
    expect(Math.max(...waits)).toBeLessThanOrEqual(overMs)
    expect(Math.max(...waits)).toBeGreaterThan(overMs * 0.7)
    expect(new Set(waits).size).toBe(CLIENTS)
    // An even share is ten. A herd would be a hundred.
    expect(busiestTenth(waits, overMs)).toBeLessThan(30)
  },
)

test('with the defaults every client is back within one backoff of an outage, and resumes its session [F170]', async () => {
  const hub = await startHub()
  const proxy = await startChaosProxy({ targetPort: hub.port, seed: 1 })
  onTestFinished(() => proxy.close())
  const delays: number[] = []
  const clients = await Promise.all(
    Array.from({ length: 8 }, async (_, n) => {
      const transport = webSocketTransport({
        url: `ws://127.0.0.1:${proxy.port}`,
        clock: new FastClock(20),
        random: seededRandom(n + 1),
      })
      onTestFinished(() => transport.close())
      const gaps: unknown[] = []
      transport.on('gap', (gap) => gaps.push(gap))
      transport.on('status', ({ status }) => {
        if (status.state === 'backoff') delays.push(status.delayMs)
      })
      return { transport, gaps, events: (await collect(transport, '>')).events }
    }),
  )
  const publisher = transportTo(hub, { protocol: busV1() })
  await proxy.down()
  await publisher.publish(createEvent('during', 1))
  const isOpen = ({ transport }: (typeof clients)[number]): boolean =>
    (transport.breaker?.stats().failures ?? 0) >= defaults.breaker.failureThreshold
  await until(() => clients.every(isOpen), 'an outage that opens every breaker')
  await proxy.up()
  await until(() => clients.every(({ events }) => events.length === 1), 'what they missed')
  expect(clients.flatMap(({ gaps }) => gaps)).toEqual([])
  expect(Math.max(...delays)).toBeLessThanOrEqual(defaults.backoff.maxMs)
})

test('a server that lets us in and closes at once is met with a longer wait each time, up to the cap [F37]', async () => {
  const server = await serve()
  server.faults.closeAfterOpen(1011)
  // A minute and a half takes half a second.
  const transport = transportTo(server, {
    clock: new FastClock(200),
    random: () => 1 - Number.EPSILON,
    breaker: false,
    heartbeat: false,
    timeouts: { connectMs: 2_000_000, bootstrapMs: 2_000_000 },
    reconnect: { backoff: backoff.exponential(defaults.backoff) },
  })
  const waits: number[] = []
  transport.on('status', ({ status }) => {
    if (status.state === 'backoff') waits.push(Math.round(status.delayMs))
  })
  void transport.connect({ retry: true }).catch(() => {})
  await until(() => waits.length >= 9, 'nine links')
  expect(waits.slice(0, 9)).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000, 5_000])
})

test('a session that another process has taken over ends the one that had it, which does not take it back [F44]', async () => {
  const hub = await startHub()
  const transport = transportTo(hub, { protocol: busV1() })
  const sids: string[] = []
  const frames = transport.frames()
  void (async () => {
    for await (const { data } of frames) {
      const [, sid] = /"sid":"([^"]+)"/.exec(String(data)) ?? []
      if (sid !== undefined) sids.push(sid)
    }
  })()
  await transport.connect()
  await until(() => sids.length > 0, 'the name of the session')
  // What a copy of its memory in another process would say.
  const twin = await greet(hub, { sid: sids[0] })
  expect(twin.welcome).toMatchObject({ sid: sids[0], resumed: true })
  await until(() => transport.status.state === 'closed', 'the end')
  expect(transport.status).toMatchObject({
    cause: { code: 'connection', message: expect.stringContaining('4410') as string },
  })
  await twin.settled()
  expect(hub.stats()).toMatchObject({ busV1: { fenced: 1 } })
  expect(twin.ws.readyState).toBe(twin.ws.OPEN)
})
