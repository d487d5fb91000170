/** Handshakes that are slow, large, impatient or broken off: what they cost the hub, and which others wait for them. */
import { createServer } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { createHub, type Principal } from '../src/hub/index.ts'
import { transportTo, until } from './harness.ts'
import { join, startHub } from './hub-clients.ts'
import { rawFrame, rawSocket, requestUpgrade, type RawPeer } from './raw-peer.ts'
import { pub } from './wire-client.ts'

const HELLO = 'hello {"v":1,"subs":[]}'
const UPGRADE = ['Sec-WebSocket-Protocol: bus.v1', 'Authorization: Bearer good']

/** A hub whose `authenticate` answers when the test does. */
async function slowAuthenticator(): Promise<{
  readonly hub: Awaited<ReturnType<typeof createHub>>
  readonly calls: ((principal: Principal | null) => void)[]
}> {
  const calls: ((principal: Principal | null) => void)[] = []
  const authenticate = (): Promise<Principal | null> =>
    new Promise((resolve) => void calls.push(resolve))
  return { hub: await startHub({ allowAnonymous: false, authenticate }), calls }
}

/** The text of frames that came behind the answer to the handshake. */
const linesOf = (peer: RawPeer): string =>
  peer.received.toString('latin1').split('\r\n\r\n').slice(1).join('')

const status = (peer: RawPeer): string => peer.received.toString('latin1').slice(0, 12)

test('a client that resets its connection while it is authenticated harms no other one [F32]', async () => {
  const { hub, calls } = await slowAuthenticator()
  const peers = await Promise.all(Array.from({ length: 20 }, () => rawSocket(hub.port)))
  for (const peer of peers) requestUpgrade(peer, '/', UPGRADE)
  await until(() => calls.length === 20, 'all are looked at')
  for (const peer of peers) peer.socket.resetAndDestroy()
  // The next one comes behind the resets, so they were seen when it is.
  const late = await rawSocket(hub.port)
  requestUpgrade(late, '/', UPGRADE)
  await until(() => calls.length === 21, 'the next one')
  for (const resolve of calls) resolve({ id: 'alice' })
  await until(() => status(late) === 'HTTP/1.1 101', 'it is let in')
  expect(hub.stats().connections).toBe(1)
})

test('headers that never stop dripping in are cut off with 408, and others are served meanwhile [F33]', async () => {
  const hub = await startHub()
  const slow = await Promise.all(Array.from({ length: 50 }, () => rawSocket(hub.port)))
  let sent = 0
  const drip = setInterval(() => {
    const next = 'GET / HTTP/1.1\r\nX-Slow: 1'[sent] ?? 'x'
    for (const peer of slow) if (peer.socket.writable) peer.write(next)
    sent++
  }, 100)
  try {
    const client = await join(hub)
    client.send('still served')
    await Promise.all(slow.map(({ ended }) => ended))
  } finally {
    clearInterval(drip)
  }
  expect(new Set(slow.map(status))).toEqual(new Set(['HTTP/1.1 408']))
  expect(hub.stats().connections).toBe(1)
  await join(hub)
})

test.each([
  ['3,000 headers', Array.from({ length: 3_000 }, (_, n) => `X-${n}: 1`), 'HTTP/1.1 431'],
  ['one header of 10,000 bytes', [`X-Long: ${'x'.repeat(10_000)}`], 'HTTP/1.1 431'],
  ['as much as fits into 8 KiB', [`X-Long: ${'x'.repeat(7_900)}`], 'HTTP/1.1 101'],
])(
  'a handshake with %s is answered with what it deserves [F34]',
  async (_what, headers, answer) => {
    const hub = await startHub()
    const peer = await rawSocket(hub.port)
    requestUpgrade(peer, '/', headers)
    await until(() => status(peer).length === 12, 'the answer')
    expect(status(peer)).toBe(answer)
    await join(hub)
  },
)

test('more headers than 64 are not read, so what stands behind them counts for nothing [F34]', async () => {
  const hub = await startHub()
  const peer = await rawSocket(hub.port)
  requestUpgrade(peer, '/', [
    ...Array.from({ length: 100 }, (_, n) => `X-${n}: 1`),
    'Sec-WebSocket-Protocol: bus.v1',
  ])
  await until(() => status(peer).length === 12, 'the answer')
  expect(peer.received.toString('latin1')).not.toMatch(/bus\.v1/)
})

test('frames that come along with the handshake count once we know who sent them, and none is lost [F35]', async () => {
  const { hub, calls } = await slowAuthenticator()
  const peer = await rawSocket(hub.port)
  peer.socket.cork()
  requestUpgrade(peer, '/', UPGRADE)
  peer.send({ opcode: 1, payload: HELLO })
  peer.send({ opcode: 1, payload: pub(1, 'first') })
  peer.socket.uncork()
  await until(() => calls.length === 1, 'it is looked at')
  // Later, and still before the answer.
  peer.send({ opcode: 1, payload: pub(2, 'second') })
  const other = await rawSocket(hub.port)
  requestUpgrade(other, '/', UPGRADE)
  await until(() => calls.length === 2, 'the next one, so that all before it was read')
  expect(peer.received).toHaveLength(0)
  expect(hub.stats().busV1.published).toBe(0)
  calls[0]?.({ id: 'alice' })
  await until(() => linesOf(peer).includes('ok 2'), 'both are confirmed')
  expect(linesOf(peer)).toMatch(/welcome \{/)
  expect(hub.stats().busV1).toMatchObject({ published: 2, protocolErrors: 0 })
})

test('a handshake that is looked at when the hub closes gets its answer, and keeps it from nothing', async () => {
  const { hub, calls } = await slowAuthenticator()
  const peer = await rawSocket(hub.port)
  requestUpgrade(peer, '/', UPGRADE)
  await until(() => calls.length === 1, 'it is looked at')
  await hub.close()
  await peer.ended
  // 503 comes from the close; a look that takes too long is answered with 504.
  expect(status(peer)).toBe('HTTP/1.1 503')
  calls[0]?.({ id: 'alice' })
})

test('a handshake that comes while the hub closes is refused for the moment, not for good', async () => {
  const hub = await startHub()
  const transport = transportTo(hub)
  await hub.drain()
  await expect(transport.connect()).rejects.toMatchObject({ code: 'handshake', status: 503 })
  await hub.close()
  await startHub({ port: hub.port })
  await transport.connect({ retry: true })
})

test('a server of yours that a hub has left answers upgrades as before', async () => {
  const server = createServer((_request, response) => response.writeHead(418).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const hub = await startHub({ server })
  const { url } = hub
  await hub.drain()
  const during = transportTo({ url }, { reconnect: false })
  await expect(during.connect()).rejects.toMatchObject({ status: 503 })
  await hub.close()
  const after = transportTo({ url }, { reconnect: false })
  await expect(after.connect()).rejects.toMatchObject({ status: 418 })
  expect(server.listenerCount('upgrade')).toBe(0)
})

test('frames that come along with a handshake that is refused do nothing [F35]', async () => {
  const { hub, calls } = await slowAuthenticator()
  const peer = await rawSocket(hub.port)
  peer.socket.cork()
  requestUpgrade(peer, '/', UPGRADE)
  peer.write(Buffer.concat([HELLO, pub(1, 1)].map((payload) => rawFrame({ opcode: 1, payload }))))
  peer.socket.uncork()
  await until(() => calls.length === 1, 'it is looked at')
  calls[0]?.(null)
  await peer.ended
  expect(status(peer)).toBe('HTTP/1.1 401')
  expect(hub.stats().busV1).toMatchObject({ published: 0, connections: 0 })
})
