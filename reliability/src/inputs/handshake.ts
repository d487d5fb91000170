/** Bad handshakes: methods, versions, keys, headers, targets and offers. */
import { text } from '../raw/frame.ts'
import { handshake, hello, KEY } from '../raw/handshake.ts'
import { BODY, greeting, refused, request, row } from './build.ts'
import type { Row } from './row.ts'

const IN = 'HTTP 101 bus.v1'
const PLAIN = 'HTTP 101 plain'

const methods: Row[] = [
  ...['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE'].map((method) =>
    greeting(`method ${method}`, { method }, refused(405)),
  ),
  greeting('method CONNECT', { method: 'CONNECT', target: '127.0.0.1:80' }, 'end'),
  ...['get', 'BREW', 'GET\0'].map((method) =>
    greeting(`method ${JSON.stringify(method)}`, { method }, refused(400)),
  ),
]

const httpVersions: Row[] = [
  ['HTTP/1.0', 400],
  ['HTTP/0.9', 400],
  ['HTTP/1.2', 400],
  ['HTTP/2.0', 400],
  ['HTTP/11', 400],
  ['HTTPS/1.1', 400],
  ['', 400],
].map(([version, status]) =>
  greeting(
    `version ${version || 'none'} of HTTP`,
    { version: String(version) },
    refused(Number(status)),
  ),
)

const versions: Row[] = [
  ...['0', '1', '7', '8', '12', '14', '130', '013', '13.0', '0xd', '1.3e1', 'x', '13, 8', ''].map(
    (version) =>
      greeting(
        `version ${version || 'empty'} of WebSocket`,
        { replace: { 'sec-websocket-version': `Sec-WebSocket-Version: ${version}` } },
        refused(426),
      ),
  ),
  greeting(
    'no version of WebSocket',
    { replace: { 'sec-websocket-version': undefined } },
    refused(426),
  ),
  greeting('two versions of WebSocket', { lines: ['Sec-WebSocket-Version: 13'] }, refused(426)),
]

const keys: Row[] = [
  ...[
    ['empty', ''],
    ['of 15 bytes', 'AAAAAAAAAAAAAAAAAAAA'],
    ['of 17 bytes', 'AAAAAAAAAAAAAAAAAAAAAAA='],
    ['no base64', '!!!!!!!!!!!!!!!!!!!!!!=='],
    ['of the URL alphabet', 'dGhlIHNhbXBsZSBub25j_Q=='],
    ['without padding', 'dGhlIHNhbXBsZSBub25jZQ'],
    ['with a space', 'dGhlIHNhbXBs ZSBub25jZQ=='],
    ['of 4,000 characters', 'A'.repeat(4_000)],
  ].map(([what, key]) =>
    greeting(
      `a key ${what}`,
      { replace: { 'sec-websocket-key': `Sec-WebSocket-Key: ${key}` } },
      refused(400),
    ),
  ),
  greeting('no key', { replace: { 'sec-websocket-key': undefined } }, refused(400)),
  greeting('two keys', { lines: [`Sec-WebSocket-Key: ${KEY}`] }, refused(400)),
]

const upgrades: Row[] = [
  greeting('no Upgrade', { replace: { upgrade: undefined } }, refused(426)),
  greeting('Upgrade h2c', { replace: { upgrade: 'Upgrade: h2c' } }, refused(400)),
  greeting('Upgrade to two', { replace: { upgrade: 'Upgrade: websocket, h2c' } }, refused(400)),
  greeting('Upgrade twice', { lines: ['Upgrade: websocket'] }, refused(400)),
  greeting('Upgrade in capitals', { replace: { upgrade: 'UPGRADE: WEBSOCKET' } }, IN),
  greeting('no Connection', { replace: { connection: undefined } }, refused(426)),
  greeting(
    'Connection keep-alive',
    { replace: { connection: 'Connection: keep-alive' } },
    refused(426),
  ),
  greeting('Connection close', { replace: { connection: 'Connection: close' } }, refused(426)),
  greeting(
    'Connection with two',
    { replace: { connection: 'Connection: keep-alive, Upgrade' } },
    IN,
  ),
]

const heads: Row[] = [
  greeting(
    '3,000 headers',
    { lines: Array.from({ length: 3_000 }, (_, i) => `A${i}: b`) },
    refused(431),
  ),
  greeting('a header of 9 kB', { lines: [`A: ${'b'.repeat(9_000)}`] }, refused(431)),
  greeting('a target of 9 kB', { target: `/${'a'.repeat(9_000)}` }, refused(431)),
  greeting('a header without a colon', { lines: ['Hello'] }, refused(400)),
  greeting('a header without a name', { lines: [': b'] }, refused(400)),
  greeting('a space before the colon', { lines: ['A : b'] }, refused(400)),
  greeting('a folded header', { lines: ['A: b', ' c'] }, refused(400)),
  greeting('NUL in a value', { lines: ['A: b\0c'] }, refused(400)),
  greeting('a bare CR in a value', { lines: ['A: b\rc'] }, refused(400)),
  greeting('a name outside of ASCII', { lines: ['Ä: b'] }, refused(400)),
  greeting('no Host', { replace: { host: undefined } }, refused(400)),
  greeting('two Hosts', { lines: ['Host: 127.0.0.1'] }, refused(400)),
  greeting(
    'Content-Length twice',
    { lines: ['Content-Length: 0', 'Content-Length: 1'] },
    refused(400),
  ),
  greeting(
    'Content-Length and chunks',
    { lines: ['Content-Length: 1', 'Transfer-Encoding: chunked'] },
    refused(400),
  ),
  greeting('Content-Length below 0', { lines: ['Content-Length: -1'] }, refused(400)),
  request('only line feeds', handshake().replaceAll('\r\n', '\n'), refused(400)),
  request('a hello of TLS', Buffer.from('16030100c8010000c40303', 'hex'), refused(400)),
  request('frames without a handshake', text(hello()), refused(400)),
  request('a request that is none', 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', refused(426)),
]

const targets: Row[] = [
  ...[
    '/',
    '/bus/',
    '/Bus',
    '/%62us',
    '//bus',
    '/./bus',
    '/x/../bus',
    '/bus%00',
    '/bus;a',
    'http://127.0.0.1/bus',
    '*',
  ].map((target) => greeting(`target ${target}`, { target }, refused(404), { hub: 'pathed' })),
  greeting('target with a fragment', { target: '/bus#a' }, refused(404), { hub: 'pathed' }),
  greeting('target with a space', { target: '/bus a' }, refused(400), { hub: 'pathed' }),
  greeting('target with a query', { target: '/bus?a=1' }, IN, { hub: 'pathed' }),
]

const offers: Row[] = [
  ...['bus.v2', 'BUS.V1', 'bus.v1x', 'chat'].map((offer) =>
    greeting(
      `offer ${offer}`,
      { busV1: false, lines: [`Sec-WebSocket-Protocol: ${offer}`] },
      PLAIN,
    ),
  ),
  ...['', 'bus v1', 'bus.v1,', ',bus.v1', 'bus.v1, bus.v1', 'bus.v1;a', '"bus.v1"'].map((offer) =>
    greeting(
      `offer ${offer || 'of nothing'}`,
      { busV1: false, lines: [`Sec-WebSocket-Protocol: ${offer}`] },
      refused(400),
    ),
  ),
  greeting('compression', { lines: ['Sec-WebSocket-Extensions: permessage-deflate'] }, IN),
  greeting('an extension that is none', { lines: ['Sec-WebSocket-Extensions: ;;='] }, IN),
]

const pieces: Row[] = [
  row(
    'frames in one write with the handshake',
    [{ say: Buffer.concat([Buffer.from(handshake()), text(hello()), text(`pub 1 a i ${BODY}`)]) }],
    'HTTP 101 bus.v1 | close 4400 pub early',
    { fence: 'over' },
  ),
  row(
    'the first line in one write with the handshake',
    [{ say: Buffer.concat([Buffer.from(handshake()), text(hello())]) }, { hear: 'welcome' }],
    '',
    { fence: 'line' },
  ),
  row(
    'a handshake in many pieces',
    Array.from(handshake(), (say) => ({ say })),
    IN,
  ),
  row('two handshakes', [{ say: handshake() + handshake() }], 'HTTP 101 bus.v1 | close 1002'),
]

/** At least 60. */
export const handshakes: readonly Row[] = [
  ...methods,
  ...httpVersions,
  ...versions,
  ...keys,
  ...upgrades,
  ...heads,
  ...targets,
  ...offers,
  ...pieces,
]
