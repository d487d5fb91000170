/** Pages of other sites: what a browser says of where it comes from, written by hand. */
import { expect, test } from 'vitest'
import type { HubOptions } from '../src/hub/index.ts'
import { startHub } from './hub-clients.ts'
import { rawSocket, requestUpgrade } from './raw-peer.ts'

const SHOP = 'https://shop.example'

/** The status line of the answer to a handshake with these header lines. */
async function answerTo(options: HubOptions, headers: readonly string[]): Promise<string> {
  const hub = await startHub(options)
  const peer = await rawSocket(hub.port)
  requestUpgrade(peer, '/', headers)
  await expect.poll(() => peer.received.toString()).toContain('\r\n\r\n')
  return peer.received.toString().split('\r\n', 1)[0] ?? ''
}

test('an origin of the list is let in by its exact text, with a cookie or without', async () => {
  for (const more of [[], ['Cookie: session=1']]) {
    const answer = await answerTo({ origins: [SHOP] }, [`Origin: ${SHOP}`, ...more])
    expect(answer).toBe('HTTP/1.1 101 Switching Protocols')
  }
})

test.each([
  ['twice', [`Origin: ${SHOP}`, 'Origin: https://evil.example']],
  ['as a list', [`Origin: ${SHOP}, https://evil.example`]],
  ['as a list in the old way', [`Origin: ${SHOP} https://evil.example`]],
  ['with a path', [`Origin: ${SHOP}/events`]],
  ['with a user', ['Origin: https://user@shop.example']],
  ['with a blank within', ['Origin: https://shop. example']],
  ['with a zero byte in its escapes', ['Origin: https://shop.example%00.evil.example']],
  ['in the look of another alphabet', ['Origin: https://xn--shp-1na.example']],
  ['as an address in decimal', ['Origin: http://2130706433']],
  ['as the address of this machine', ['Origin: http://127.0.0.1']],
  ['as the address of this machine in IPv6', ['Origin: http://[::1]']],
  ['as a part of the list', ['Origin: shop.example']],
  ['with the scheme of an extension', ['Origin: chrome-extension://shop.example']],
  ['under the name of an older version', ['Sec-WebSocket-Origin: https://evil.example']],
])('a page of another site that says its origin %s gets 403 [F141]', async (_how, headers) => {
  const answer = await answerTo({ origins: [SHOP] }, [...headers, 'Cookie: session=1'])
  expect(answer).toBe('HTTP/1.1 403 Forbidden')
})

test('without origins no page is let in, not even one of this machine, after any rebinding of names [F141, F142]', async () => {
  for (const origin of ['http://localhost:3000', 'http://127.0.0.1', 'http://hub', 'null']) {
    expect(await answerTo({}, [`Origin: ${origin}`])).toBe('HTTP/1.1 403 Forbidden')
  }
})

test.each([
  'evil.example',
  'hub.example.evil.example',
  'hub.example:81',
  '127.0.0.1',
  'HUB.example',
  '',
])('hosts: a page that was served as %j and now leads here is refused [F142]', async (host) => {
  const hub = await startHub({ hosts: ['hub.example', 'hub.example:80'], origins: [SHOP] })
  const peer = await rawSocket(hub.port)
  peer.write(
    [
      'GET / HTTP/1.1',
      `Host: ${host}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      `Origin: ${SHOP}`,
      '\r\n',
    ].join('\r\n'),
  )
  await peer.ended
  expect(peer.received.toString()).toMatch(/^HTTP\/1\.1 403 /)
})
