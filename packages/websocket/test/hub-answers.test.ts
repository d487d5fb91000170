/** What the hub says to strangers, byte by byte: fixed texts, and nothing of what they sent or of what went wrong within. */
import { expect, test } from 'vitest'
import { createHub, type HubOptions } from '../src/hub/index.ts'
import { until } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { rawFrame, rawSocket, requestUpgrade, type RawPeer } from './raw-peer.ts'
import { dial, greet, pub, sub } from './wire-client.ts'

const INTERNAL =
  'connect ECONNREFUSED postgres://admin:canary@10.0.0.7/users at /srv/hub/auth.js:12'

/** The whole answer to a handshake. */
async function answer(options: HubOptions, target: string, headers: readonly string[] = []) {
  const hub = await startHub(options)
  const peer = await rawSocket(hub.port)
  requestUpgrade(peer, target, headers)
  await until(() => peer.received.includes('\r\n\r\n'), 'an answer')
  return { text: peer.received.toString('latin1'), peer }
}

const refusal = (status: string): string =>
  `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`

const accepted = (protocol: 'bus.v1' | 'plain'): RegExp => {
  const lines =
    protocol === 'plain' ? '' : 'Sec-WebSocket-Protocol: bus\\.v1\\r\\nbus-protocol: bus\\.v1\\r\\n'
  return new RegExp(
    `^HTTP/1\\.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n` +
      `Sec-WebSocket-Accept: [A-Za-z0-9+/=]{28}\\r\\n${lines}\\r\\n`,
  )
}

const INJECTION = '%0d%0aSet-Cookie:%20session=evil'

test.each([
  ['in the path', `/x${INJECTION}`, []],
  ['in the query', `/?x=${INJECTION}`, []],
  ['as bytes beyond ASCII that some servers narrow', '/?x=\u010d\u010aSet-Cookie:evil', []],
  ['in an origin', '/', [`Origin: https://shop.example${INJECTION}`]],
  ['in a subprotocol', '/', [`Sec-WebSocket-Protocol: bus.v1${INJECTION}`]],
  ['in a subprotocol behind ours', '/', [`Sec-WebSocket-Protocol: bus.v1, x${INJECTION}`]],
  ['in an extension', '/', [`Sec-WebSocket-Extensions: x${INJECTION}`]],
  ['in a header that is continued', '/', ['X-A: b\r\n Set-Cookie: session=evil']],
  ['after a bare line feed', '/', ['X-A: b\nSet-Cookie: session=evil']],
  ['in another header', '/', [`Forwarded: for="x${INJECTION}"`, `X-Request-Id: ${INJECTION}`]],
])('a line break %s gets into no header of an answer [F157]', async (_where, target, headers) => {
  const { text } = await answer({ origins: ['https://shop.example'] }, target, headers)
  expect(text).not.toMatch(/cookie|evil|x-request/i)
  const [head = ''] = text.split('\r\n\r\n')
  const names = head
    .split('\r\n')
    .slice(1)
    .map((line) => line.split(':')[0])
  const known = ['Upgrade', 'Connection', 'Sec-WebSocket-Accept', 'Sec-WebSocket-Protocol']
  expect([...known, 'bus-protocol', 'Content-Length', 'Content-Type']).toEqual(
    expect.arrayContaining(names),
  )
})

test('the only subprotocol that is ever echoed is ours, also when a token stands beside it [F143, F157]', async () => {
  const offer = 'Sec-WebSocket-Protocol: canary-7f3a9c, bus.v1, base64.canary'
  expect((await answer({}, '/', [offer])).text).toMatch(accepted('bus.v1'))
  const other = 'Sec-WebSocket-Protocol: canary-7f3a9c'
  expect((await answer({}, '/', [other])).text).toMatch(accepted('plain'))
})

const failing = (): never => {
  throw new Error(INTERNAL)
}

test.each<[why: string, status: string, options: HubOptions, target: string, headers: string[]]>([
  ['a secret in the query', '400 Bad Request', {}, '/?token=canary', []],
  ['an origin', '403 Forbidden', {}, '/', ['Origin: https://evil.example']],
  ['a name', '403 Forbidden', { hosts: ['hub.example'] }, '/', []],
  ['a path', '404 Not Found', { path: '/events' }, '/canary', []],
  [
    'a failure within',
    '503 Service Unavailable',
    { authenticate: failing },
    '/',
    ['Authorization: Bearer canary'],
  ],
  [
    'rubbish from within',
    '503 Service Unavailable',
    { authenticate: () => ({ password: INTERNAL }) as never },
    '/',
    ['Authorization: Bearer canary'],
  ],
])('a handshake that is refused for %s gets %s and nothing else [F159]', async (...row) => {
  const [, status, options, target, headers] = row
  expect((await answer(options, target, headers)).text).toBe(refusal(status))
})

test('bad credentials are answered with the kind that is required, and not with what was wrong [F159]', async () => {
  for (const headers of [['Authorization: Bearer canary'], ['Authorization: Basic Y2FuYXJ5']]) {
    const options = { allowAnonymous: false, authenticate: () => null }
    expect((await answer(options, '/', headers)).text).toBe(
      refusal('401 Unauthorized\r\nWWW-Authenticate: Bearer'),
    )
  }
})

test('the refusals of a full hub and of a full address name no figure [F159]', async () => {
  const full = await startHub({ limits: { connections: 1 } })
  const busy = await startHub({ limits: { connectionsPerIp: 1 } })
  for (const [hub, status] of [
    [full, '503 Service Unavailable'],
    [busy, '429 Too Many Requests\r\nRetry-After: 5'],
  ] as const) {
    const peers: RawPeer[] = []
    for (let n = 0; n < 2; n++) {
      const peer = await rawSocket(hub.port)
      requestUpgrade(peer, '/')
      await until(() => peer.received.includes('\r\n\r\n'), 'an answer')
      peers.push(peer)
    }
    expect(peers[1]?.received.toString()).toBe(refusal(status))
  }
})

/** Everything that the hub says before it closes, without its welcome. */
async function lastWords(
  options: HubOptions,
  lines: readonly string[],
  isGreeted = true,
): Promise<string> {
  const hub = await startHub(options)
  const client = isGreeted ? await greet(hub) : await dial(hub)
  client.say(...lines)
  const { code, reason } = await client.closed
  return [...client.lines.filter((line) => !line.startsWith('welcome ')), code, reason].join(' | ')
}

const CANARY_HELLO = 'hello {"v":1,"subs":[],"token":"canary"}'

test.each<[words: string, options: HubOptions, lines: string[], isGreeted?: boolean]>([
  ['4400 | line verb', {}, ['canary']],
  ['4400 | hello again', {}, ['hello {"v":1,"subs":[]}']],
  ['4400 | pub n', {}, ['pub canary a i {}']],
  ['4400 | pub body', {}, ['pub 1 a i canary']],
  ['4400 | sub pattern', {}, ['sub 1 canary.. alo']],
  ['4400 | hello json', {}, ['hello {"canary"'], false],
  ['4400 | sub first', {}, ['sub 1 canary alo'], false],
  [
    '4401 | unauthorized',
    { allowAnonymous: false, authenticate: () => null },
    [CANARY_HELLO],
    false,
  ],
  ['4503 | authentication', { authenticate: failing }, [CANARY_HELLO], false],
  ['4409 | pub hole', {}, [pub(7, 'canary')]],
  ['4409 | ack offset', {}, ['ack 99']],
])('the last words of the hub are exactly: %s [F159]', async (words, options, lines, isGreeted) => {
  const said = await lastWords(options, lines, isGreeted)
  expect(said).toBe(words)
})

test('what authorize throws is a refusal like any other [F159]', async () => {
  const hub = await startHub({
    authorize: failing,
    onError: () => {},
  })
  const client = await greet(hub, { subs: [sub(1, 'a')] })
  client.say(pub(1, 1), 'sub 2 b alo')
  await client.settled()
  expect(client.welcome.subs).toEqual([{ id: 1, code: 'auth' }])
  expect(client.lines.slice(1).toSorted()).toEqual(['no 1 auth', 'subno 2 auth'])
})

test('a frame that breaks WebSocket is answered with a code and no reason [F159]', async () => {
  const { peer } = await answer({}, '/')
  const before = peer.received.length
  peer.write(rawFrame({ opcode: 1, payload: 'canary', rsv: 4 }))
  await peer.ended
  expect(peer.received.subarray(before)).toEqual(Buffer.from([0x88, 2, 0x03, 0xea]))
})

test('a request that is no handshake is answered with what it should be [F159]', async () => {
  const hub = await createHub({ allowAnonymous: true })
  const response = await fetch(`http://127.0.0.1:${hub.port}/canary?x=canary`)
  const text = await response.text()
  await hub.close()
  expect([response.status, text]).toEqual([426, ''])
  expect([...response.headers.keys()].toSorted()).toEqual([
    'connection',
    'date',
    'transfer-encoding',
  ])
})
