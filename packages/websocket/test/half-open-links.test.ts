/** Links whose other end is gone or half gone, and what is still told by one that was replaced. */
import { createEvent } from '@bus/core'
import { startChaosProxy, type ChaosProxy } from '@bus/testing/chaos'
import { expect, onTestFinished, test } from 'vitest'
import { busV1 } from '../src/index.ts'
import {
  collect,
  frameOf,
  numbered,
  only,
  record,
  serve,
  states,
  transportTo,
  until,
} from './harness.ts'
import { startHub } from './hub-clients.ts'
import { ev, startLiteralHub } from './literal-hub.ts'

const HEARTBEAT = { intervalMs: 100, timeoutMs: 100 }

async function proxyTo(port: number): Promise<ChaosProxy & { readonly url: string }> {
  const proxy = await startChaosProxy({ targetPort: port })
  onTestFinished(() => proxy.close())
  return Object.assign(proxy, { url: `ws://127.0.0.1:${proxy.port}` })
}

test('a peer that vanished without a word is noticed by the heartbeat, and nothing is lost [F1]', async () => {
  const hub = await startHub()
  const proxy = await proxyTo(hub.port)
  const transport = transportTo(proxy, { protocol: busV1(), heartbeat: HEARTBEAT })
  const notices = record(transport)
  await transport.connect()
  await transport.publish(createEvent('a', 0))
  // For longer than the test may last: nothing but the heartbeat can notice it.
  proxy.hole(600_000)
  const receipts = numbered(20).map((event) => transport.publish(event))
  await until(() => only(notices, 'close').length > 0, 'the link is given up')
  expect(only(notices, 'close')).toMatchObject([{ code: 1006, initiatedBy: 'local' }])
  expect(only(notices, 'error')[0]).toMatchObject({ error: { code: 'heartbeat-timeout' } })
  const outcomes = await Promise.all(receipts)
  expect(outcomes.map(({ status }) => status)).toEqual(Array(20).fill('confirmed'))
  expect(hub.stats().busV1.published).toBe(21)
})

test('a hub notices a client that vanished, and keeps its session for it [F1]', async () => {
  const hub = await startHub({ heartbeatMs: 50 })
  const proxy = await proxyTo(hub.port)
  const transport = transportTo(proxy, { protocol: busV1(), heartbeat: false })
  const seen = await collect(transport, 'a')
  proxy.hole(60_000)
  await until(() => hub.stats().connections === 0, 'the hub cuts it')
  expect(hub.stats().busV1.sessions).toBe(1)
  const other = transportTo(hub, { protocol: busV1() })
  await other.publish(createEvent('a', 'while it was away'))
  void transport.reconnect()
  proxy.reset()
  await until(() => seen.events.length === 1, 'the event')
})

test('a peer that dies while our own window is full is noticed as well, because the socket is read on [F9]', async () => {
  const hub = await startLiteralHub({
    welcome: ({ sid }) => ({ resumed: sid !== undefined }),
  })
  const proxy = await proxyTo(hub.server.port)
  const transport = transportTo(proxy, { protocol: busV1(), heartbeat: HEARTBEAT })
  const notices = record(transport)
  const full = await collect(transport, 'order.created')
  full.hasRoom = false
  hub.say(ev(1, 1), ev(2, 2))
  await until(() => full.events.length === 2, 'no room')
  // Pings are answered all the same.
  const pings = hub.latest.pings
  await until(() => hub.latest.pings >= pings + 3, 'three more pings')
  expect(only(notices, 'close')).toEqual([])
  expect(await transport.health()).toMatchObject({ status: 'up' })
  proxy.hole(60_000)
  await until(() => only(notices, 'close').length > 0, 'the link is given up')
  expect(only(notices, 'error')[0]).toMatchObject({ error: { code: 'heartbeat-timeout' } })
})

test.each(['reset', 'end'] as const)(
  'a link that is cut behind each byte of a frame, by %s, goes down exactly once, and no part of it is delivered [F13]',
  async (how) => {
    const server = await serve()
    const proxy = await proxyTo(server.port)
    const transport = transportTo(proxy, { reconnect: { backoff: () => 0 }, breaker: false })
    const all = await collect(transport)
    const notices = record(transport)
    const frame = frameOf('a', 'cut')
    const bytes = Buffer.byteLength(frame) + 2
    for (let after = 0; after < bytes; after++) {
      await until(() => server.live.length === 1, 'one link')
      await until(() => transport.stats().reconnects === after, `link ${after}`)
      proxy.cutAfter(after, { direction: 'downstream', how })
      server.inject(frame)
      await until(() => only(notices, 'close').length === after + 1, `the end of link ${after}`)
    }
    await until(() => transport.status.state === 'ready', 'ready')
    expect(only(notices, 'close').map(({ code }) => code)).toEqual(Array(bytes).fill(1006))
    const down = ['backoff', 'connecting', 'bootstrapping', 'ready']
    expect(states(notices)).toEqual(Array.from({ length: bytes }, () => down).flat())
    expect(all.events).toEqual([])
    server.inject(frame)
    await until(() => all.events.length === 1, 'a whole frame')
  },
  30_000,
)

test('what a replaced socket still says and does changes nothing [F14]', async () => {
  const server = await serve()
  const old = await proxyTo(server.port)
  const transport = transportTo(old, { heartbeat: HEARTBEAT })
  const all = await collect(transport)
  const notices = record(transport)
  const [ghost] = server.connections
  const [link] = old.links
  link?.hole(60_000)
  ghost?.send(frameOf('a', 'from the grave'))
  await until(() => transport.stats().reconnects === 1, 'a new link')
  const told = notices.length
  ghost?.send(frameOf('a', 'once more'))
  ghost?.close(4403, 'too late')
  link?.reset()
  server.connections[1]?.send(frameOf('a', 'alive'))
  await until(() => all.events.length === 1, 'the event of the new link')
  await transport.publish(createEvent('b', 1))
  expect(all.payloads).toEqual(['alive'])
  expect(notices).toHaveLength(told)
  expect(transport.status).toMatchObject({ state: 'ready', generation: 2 })
})

test('of a link that closes slowly nothing is heard once the next is there [F14]', async () => {
  const server = await serve()
  const transport = transportTo(server, { timeouts: { closeMs: 60 } })
  const all = await collect(transport)
  const notices = record(transport)
  // The close is not answered: the server reads nothing for a while.
  server.faults.stall()
  const reconnecting = transport.reconnect('rotate')
  await until(() => server.upgradeAttempts === 2, 'the next link is dialed')
  server.faults.clear()
  await reconnecting
  server.connections[0]?.send(frameOf('a', 'old'))
  server.connections[1]?.send(frameOf('a', 'new'))
  await until(() => all.events.length > 0, 'the event')
  expect(all.payloads).toEqual(['new'])
  expect(only(notices, 'close')).toHaveLength(1)
  expect(states(notices).filter((state) => state === 'ready')).toHaveLength(1)
})
