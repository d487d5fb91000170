import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { createEvent } from '@bus/core'
import { generate } from 'selfsigned'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocketServer } from 'ws'
import type { HubServer } from '../src/hub/options.ts'
import { createHub, type Hub } from '../src/hub/index.ts'
import { collect, transportTo, until, untilStill } from './harness.ts'
import { join, joinFrozen, startHub } from './hub-clients.ts'

async function listening<S extends HubServer>(server: S): Promise<S> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return server
}

const portOf = (server: HubServer): number => (server.address() as AddressInfo).port

test('port: listens there, and rejects with what the system says when it is taken', async () => {
  const hub = await startHub()
  expect(hub.url).toBe(`ws://127.0.0.1:${hub.port}`)
  await expect(createHub({ allowAnonymous: true, port: hub.port })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  })
  await hub.close()
  const next = await startHub({ port: hub.port })
  expect(next.port).toBe(hub.port)
})

test('host: listens on that address only', async () => {
  const hub = await startHub({ host: '127.0.0.2' })
  expect(hub.url).toBe(`ws://127.0.0.2:${hub.port}`)
  await join(hub)
  await expect(join({ url: `ws://127.0.0.1:${hub.port}` })).rejects.toThrow('ECONNREFUSED')
  await expect(createHub({ allowAnonymous: true, host: '192.0.2.1' })).rejects.toMatchObject({
    code: 'EADDRNOTAVAIL',
  })
})

test('host: an IPv6 address stands in brackets in the URL', async () => {
  const hub = await startHub({ host: '::1' })
  expect(hub.url).toBe(`ws://[::1]:${hub.port}`)
  await join(hub)
})

test('path: upgrades only there, with any query, and answers 404 elsewhere', async () => {
  const hub = await startHub({ path: '/events' })
  expect(hub.url).toMatch(/\/events$/)
  await join(hub)
  await join({ url: `${hub.url}?client=1` })
  await expect(join({ url: `${hub.url}/more` })).rejects.toThrow('404')
  await expect(join({ url: hub.url.replace('events', '') })).rejects.toThrow('404')
})

test('path: without it every path is upgraded', async () => {
  const hub = await startHub()
  await join({ url: `${hub.url}/any/path?at=all` })
  expect(hub.stats().connections).toBe(1)
})

test('server: serves beside the routes of a server of yours, which stays open when the hub closes', async () => {
  const server = await listening(createServer((_request, response) => response.end('a page')))
  const hub = await startHub({ server, path: '/events' })
  const page = `http://127.0.0.1:${portOf(server)}/`
  expect(hub).toMatchObject({ port: portOf(server) })
  const [a, b] = await Promise.all([join(hub), join(hub)])
  expect(await (await fetch(page)).text()).toBe('a page')
  a.send('event')
  await until(() => b.frames.length === 1, 'the event arrives')
  await hub.close()
  await expect(a.closed).resolves.toMatchObject({ code: 1001 })
  expect(await (await fetch(page)).text()).toBe('a page')
  expect(server.listenerCount('upgrade')).toBe(0)
})

test('server: has its port once it listens', async () => {
  const server = createServer()
  const hub = await startHub({ server })
  expect(hub.port).toBe(0)
  await listening(server)
  expect(hub.url).toBe(`ws://127.0.0.1:${portOf(server)}`)
  await join(hub)
})

test('server: leaves other paths to the other WebSocket servers on it', async () => {
  const server = await listening(createServer())
  const other = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    if (request.url === '/chat') other.handleUpgrade(request, socket, head, (ws) => ws.send('hi'))
  })
  const hub = await startHub({ server, path: '/events' })
  const chat = await join({ url: hub.url.replace('events', 'chat') })
  await until(() => chat.frames.length === 1, 'the other server speaks')
  await join(hub)
  expect(hub.stats().connections).toBe(1)
})

test('server: may be one of HTTPS, whose URL is secure', async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keySize: 2048,
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  })
  const hub = await startHub({ server: await listening(createSecureServer({ key, cert })) })
  expect(hub.url).toMatch(/^wss:/)
  const [left, right] = [0, 1].map(() => transportTo(hub, { tls: { ca: cert } }))
  if (left === undefined || right === undefined) throw new Error('two transports')
  const atRight = await collect(right)
  await left.publish(createEvent('a', 1))
  await until(() => atRight.events.length === 1, 'the event arrives')
})

test('maxMessageBytes: a message of that size passes, a larger one ends its connection with 1009 [F63]', async () => {
  const hub = await startHub({ maxMessageBytes: 1_000 })
  const [a, b] = await Promise.all([join(hub), join(hub)])
  a.send('x'.repeat(999))
  a.send('x'.repeat(1_000))
  a.send('x'.repeat(1_001))
  await expect(a.closed).resolves.toMatchObject({ code: 1009 })
  await until(() => b.frames.length === 2, 'the others arrive')
  expect(hub.stats()).toMatchObject({ received: 2, connections: 1, badFrames: 1 })
})

test('highWaterMarkBytes: says how much may wait for one reader', async () => {
  const taken: number[] = []
  for (const highWaterMarkBytes of [64_000, 8_000_000]) {
    const hub = await startHub({ highWaterMarkBytes, slowReaderMs: 60_000, closeMs: 10 })
    await joinFrozen(hub)
    const sender = await join(hub)
    for (let n = 0; n < 400; n++) sender.send('x'.repeat(100_000))
    await untilStill(() => hub.stats().received, 'the hub stops reading', 40)
    taken.push(hub.stats().received)
    await hub.close()
  }
  const [small = 0, large = 0] = taken
  // Both take what the kernel holds, and what was read already; the rest is the mark.
  expect(large - small).toBeGreaterThan(60)
  expect(large - small).toBeLessThan(100)
})

test('slowReaderMs: limits how long one reader may keep the others waiting', async () => {
  const heldUp = async (slowReaderMs: number): Promise<Hub> => {
    const hub = await startHub({ highWaterMarkBytes: 1_000, slowReaderMs })
    await joinFrozen(hub)
    const sender = await join(hub)
    for (let n = 0; n < 200; n++) sender.send('x'.repeat(100_000))
    await untilStill(() => hub.stats().received, 'the hub stops reading')
    return hub
  }
  // The patient one first: it has waited for longer when the other one has waited long enough.
  const patient = await heldUp(600_000)
  const hasty = await heldUp(50)
  await until(() => hasty.stats().slowReaders === 1, 'it is cut off')
  expect(patient.stats()).toMatchObject({ slowReaders: 0, connections: 2 })
})

test.each([
  ['port', { port: 65_536 }],
  ['port', { port: 1, server: createServer() }],
  ['host', { host: '' }],
  ['server', { server: {} }],
  ['path', { path: 'events' }],
  ['path', { path: '/events?a=1' }],
  ['maxMessageBytes', { maxMessageBytes: 0 }],
  ['highWaterMarkBytes', { highWaterMarkBytes: 1.5 }],
  ['slowReaderMs', { slowReaderMs: -1 }],
  ['closeMs', { closeMs: Infinity }],
  ['prot', { prot: 1 }],
])('refuses a wrong %s by name', async (path, options) => {
  await expect(createHub(options as object)).rejects.toMatchObject({ code: 'config', path })
})
