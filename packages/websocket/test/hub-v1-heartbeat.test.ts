import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { Exchange } from '../src/hub/bus-v1/exchange.ts'
import { resolveHubOptions } from '../src/hub/options.ts'
import { FakeClock } from './fake-clock.ts'
import { until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { greet, sub, WireClient } from './wire-client.ts'

/** Counts the hub's pings. */
function pingsOf(client: WireClient): () => number {
  let count = 0
  client.ws.on('ping', () => count++)
  return () => count
}

test('has one timer for its connections, and none when they have ended', async () => {
  const clock = new FakeClock()
  const exchange = new Exchange(resolveHubOptions({ allowAnonymous: true }), { clock })
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => server.close())
  server.on('connection', (ws, request) => exchange.join(ws, request.socket, request, undefined))
  await once(server, 'listening')
  const own = clock.pending
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  const [a, b] = await Promise.all([greet({ url }), greet({ url })])
  expect(clock.pending).toBe(own + 1)
  a.ws.close()
  b.ws.terminate()
  await until(() => exchange.size === 0, 'both to be gone')
  expect(clock.pending).toBe(own)
  exchange.close()
})

test('cuts a connection that gives no sign of life for two pings, and keeps its session', async () => {
  const hub = await startHub({ heartbeatMs: 20 })
  const client = await greet(hub, { subs: [sub(1, 'order.*')] })
  client.ws.pause()
  await until(() => hub.stats().connections === 0, 'the connection to be cut')
  expect(hub.stats().busV1.sessions).toBe(1)
  client.ws.resume()
  expect(await client.closed).toMatchObject({ code: 1006 })
})

test('keeps a quiet connection that answers its pings', async () => {
  const hub = await startHub({ heartbeatMs: 20 })
  const client = await greet(hub)
  const pings = pingsOf(client)
  await until(() => pings() >= 6, 'six pings')
  expect(client.ws.readyState).toBe(WebSocket.OPEN)
})

test('keeps a connection that answers no ping but sends its own', async () => {
  const hub = await startHub({ heartbeatMs: 50 })
  const ws = new WebSocket(hub.url, 'bus.v1', { perMessageDeflate: false, autoPong: false })
  const client = new WireClient(ws)
  const pings = pingsOf(client)
  await once(ws, 'open')
  ws.on('ping', () => ws.ping())
  client.say('hello {"v":1,"subs":[]}')
  await until(() => pings() >= 6, 'six pings')
  expect(ws.readyState).toBe(WebSocket.OPEN)
})
