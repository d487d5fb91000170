/** Text that would mean something to a log, a terminal, a proxy, a backend or a template, if it got that far. */
import { handshake, hello } from '../raw/handshake.ts'
import { BODY, CANARY, firstLine, greeting, lines, refused, request } from './build.ts'
import type { Row } from './row.ts'

const IN = 'HTTP 101 bus.v1'

/** What a client may write where an answer could repeat it. */
const inHandshake: Row[] = [
  greeting(
    'line breaks in the target',
    { target: `/%0d%0aSet-Cookie:%20${CANARY}` },
    refused(404),
    { hub: 'pathed' },
  ),
  greeting('line breaks in the query', { target: `/?a=%0d%0aSet-Cookie:%20${CANARY}` }, IN),
  greeting('markup in the target', { target: `/<script>${CANARY}</script>` }, refused(404), {
    hub: 'pathed',
  }),
  greeting(
    'a cookie behind the offer',
    { busV1: false, lines: ['Sec-WebSocket-Protocol: bus.v1', `Set-Cookie: ${CANARY}`] },
    IN,
  ),
  greeting(
    'the canary as an offer',
    { busV1: false, lines: [`Sec-WebSocket-Protocol: ${CANARY}`] },
    'HTTP 101 plain',
  ),
  greeting('the canary as an extension', { lines: [`Sec-WebSocket-Extensions: ${CANARY}`] }, IN),
  greeting(
    'the canary as a key',
    { replace: { 'sec-websocket-key': `Sec-WebSocket-Key: ${CANARY}` } },
    refused(400),
  ),
  greeting(
    'the canary as a version',
    { replace: { 'sec-websocket-version': `Sec-WebSocket-Version: ${CANARY}` } },
    refused(426),
  ),
  greeting(
    'the canary as an upgrade',
    { replace: { upgrade: `Upgrade: ${CANARY}` } },
    refused(400),
  ),
  greeting('the canary as an origin', { lines: [`Origin: https://${CANARY}`] }, refused(403)),
  greeting('the canary as a host', { replace: { host: `Host: ${CANARY}` } }, refused(403), {
    hub: 'guarded',
  }),
  greeting(
    'the canary as a user',
    { target: `http://${CANARY}:${CANARY}@127.0.0.1/` },
    refused(404),
    { hub: 'pathed' },
  ),
  greeting(
    'a request within a header',
    { lines: [`A: b\r\n\r\nGET /?${CANARY} HTTP/1.1\r\nHost: x`] },
    'HTTP 101 bus.v1 | close 1002',
    { fence: 'over' },
  ),
  greeting('a request behind chunks', { lines: ['Transfer-Encoding: chunked'] }, refused(400)),
  request(
    'a plain request with the canary',
    `GET /${CANARY} HTTP/1.1\r\nHost: ${CANARY}\r\n\r\n`,
    refused(426),
  ),
  request('a method that is the canary', handshake({ method: CANARY.toUpperCase() }), refused(400)),
]

const verbs: Row[] = [
  CANARY,
  `${CANARY} 1 2 3`,
  `\u001b[31m${CANARY}`,
  `%s%n%x ${CANARY}`,
  `\${jndi:ldap://${CANARY}}`,
  `{{7*7}}${CANARY}`,
  `*3\r`,
  'SUB foo 1\r',
  'PUB foo 1\r',
  'EVAL "return 1" 0',
  "'; DROP TABLE events; --",
  'GET / HTTP/1.1\r',
  '{"v":1,"subs":[]}',
  `{"event_type":"a","payload":"${CANARY}"}`,
].map((line) =>
  lines(`the line ${JSON.stringify(line).slice(0, 40)}`, line, 'close 4400 line verb'),
)

/** What would be a command, a subject or a key of a backend; here it is no type. */
const types: Row[] = [
  '$JS.API.STREAM.DELETE.events',
  '$SYS.REQ.SERVER.PING',
  '_INBOX.>',
  '__keyspace@0__:*',
  'a.*.>',
  '>',
  'KEYS[1]',
  'a\r\nPING\r',
  `../../etc/${CANARY}`,
  `a;${CANARY}`,
].map((type) => {
  // What stands behind a line feed is another line.
  const want = type.includes('\n') ? 'close 4400 pub type' : 'no 1 type'
  return lines(`the type ${JSON.stringify(type)}`, `pub 1 ${type} i ${BODY}`, want)
})

const ids: Row[] = [
  '\u0007',
  '\u001b[2J',
  '\u202e',
  '\u2028',
  '\ufeff',
  'é',
  '\u0000',
  '\u007f',
  '\t',
].map((id) =>
  lines(`the id ${encodeURIComponent(id)}`, `pub 1 a ${id}${CANARY} ${BODY}`, 'close 4400 pub id'),
)

const names: Row[] = [
  ...['../../x', 'a b', 'a\nwelcome {}', '"}', '\u001b[31m', '*', '${x}', `a;${CANARY}`].map(
    (sid) =>
      firstLine(`hello: the sid ${JSON.stringify(sid)}`, hello({ sid }), 'close 4400 hello shape'),
  ),
  firstLine('hello: the canary as a sid', hello({ sid: CANARY, epoch: CANARY }), 'welcome new'),
  firstLine(
    'hello: the canary as a token, where nobody looks',
    hello({ token: CANARY }),
    'welcome new',
  ),
  lines('bye: with markup', `bye {"code":"<b>${CANARY}"}`, 'close 1000'),
  lines('auth: the canary, where nobody looks', `auth {"token":"${CANARY}"}`, ''),
]

/** At least 30. */
export const injection: readonly Row[] = [...inHandshake, ...verbs, ...types, ...ids, ...names]
