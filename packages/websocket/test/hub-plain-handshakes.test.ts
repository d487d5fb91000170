/** Handshakes that something on the way could read in another way than the hub, and credentials that are over. */
import { expect, test } from 'vitest'
import { startHub } from './hub-clients.ts'
import { rawSocket, requestUpgrade } from './raw-peer.ts'
import { dial, greet } from './wire-client.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

/** The lines of a handshake as it should be. */
const LINES = [
  'GET / HTTP/1.1',
  'Host: hub',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  `Sec-WebSocket-Key: ${KEY}`,
]

async function answerTo(port: number, lines: readonly string[]): Promise<string> {
  const peer = await rawSocket(port)
  peer.write(`${lines.join('\r\n')}\r\n\r\n`)
  await Promise.race([peer.ended, new Promise((resolve) => peer.socket.once('data', resolve))])
  return peer.received.toString('latin1')
}

const replaced = (index: number, line: string): string[] => LINES.with(index, line)

test.each([
  ['HTTP/1.0', replaced(0, 'GET / HTTP/1.0')],
  ['HTTP/2.0', replaced(0, 'GET / HTTP/2.0')],
  ['no host', LINES.toSpliced(1, 1)],
  ['two hosts', [...LINES, 'Host: hub']],
  ['two kinds of credentials', [...LINES, 'Authorization: Bearer a', 'Authorization: Bearer b']],
  ['a body', [...LINES, 'Content-Length: 1']],
  ['a body in chunks', [...LINES, 'Transfer-Encoding: chunked']],
])('refuses a handshake with %s with 400 [F157]', async (_what, lines) => {
  const hub = await startHub()
  expect(await answerTo(hub.port, LINES)).toMatch(/^HTTP\/1\.1 101 /)
  expect(await answerTo(hub.port, lines)).toMatch(/^HTTP\/1\.1 400 /)
})

test.each(['8', '14', '013', '13.0', '0xd', ''])(
  'refuses the version %s of WebSocket with 426, and names the one that it speaks',
  async (version) => {
    const hub = await startHub()
    const answer = await answerTo(hub.port, replaced(4, `Sec-WebSocket-Version: ${version}`))
    expect(answer).toMatch(/^HTTP\/1\.1 426 /)
    expect(answer).toContain('\r\nSec-WebSocket-Version: 13\r\n')
  },
)

test('counts who was refused for bad credentials in the handshake', async () => {
  const hub = await startHub({ allowAnonymous: false, authenticate: () => null })
  const peer = await rawSocket(hub.port)
  requestUpgrade(peer, '/', ['Authorization: Bearer bad'])
  await peer.ended
  expect(peer.received.toString()).toMatch(/^HTTP\/1\.1 401 /)
  expect(hub.stats().busV1.unauthorized).toBe(1)
})

test('refuses expired credentials, with the handshake or with the first line [F144]', async () => {
  let expiresAt = Date.now() - 60_000
  const hub = await startHub({
    allowAnonymous: false,
    authenticate: () => ({ id: 'alice', expiresAt }),
  })
  const client = await dial(hub)
  client.say('hello {"v":1,"subs":[],"token":"t"}')
  await expect(client.closed).resolves.toEqual({ code: 4401, reason: 'unauthorized' })
  expect(client.lines).toEqual([])
  const lines = [...LINES, 'Authorization: Bearer t']
  expect(await answerTo(hub.port, lines)).toMatch(/^HTTP\/1\.1 401 /)
  // Clocks differ a little.
  expiresAt = Date.now() - 1_000
  await greet(hub, { token: 't' })
})
