/** Credentials that are missing, wrong, over, of another principal, or in a wrong member. */
import { text } from '../raw/frame.ts'
import { handshake, hello } from '../raw/handshake.ts'
import { BODY, CANARY, firstLine, greeting, lines, refused, request, row } from './build.ts'
import { TOKEN } from './hubs.ts'
import type { Row, Step } from './row.ts'

const hub = 'guarded'
const IN = 'HTTP 101 bus.v1'
const bearer = (token: string): string => `Authorization: Bearer ${token}`

/** With the handshake, on either wire. */
const inHeader: Row[] = [
  greeting('a token that nobody has', { lines: [bearer(TOKEN.stranger)] }, refused(401), { hub }),
  greeting(
    'a token in other letters',
    { lines: [bearer(TOKEN.alice.toUpperCase())] },
    refused(401),
    { hub },
  ),
  greeting('a token cut short', { lines: [bearer(TOKEN.alice.slice(0, -1))] }, refused(401), {
    hub,
  }),
  greeting('a token with more', { lines: [bearer(`${TOKEN.alice}x`)] }, refused(401), { hub }),
  greeting('a token that is over', { lines: [bearer(TOKEN.expired)] }, refused(401), { hub }),
  greeting('a token of 7 kB', { lines: [bearer(`${CANARY}${'x'.repeat(7_000)}`)] }, refused(401), {
    hub,
  }),
  // Most of it is not read, so that TCP may end with a reset, which may come before the answer is read.
  greeting(
    'a token of 1 MB',
    { lines: [bearer(`${CANARY}${'x'.repeat(1_000_000)}`)] },
    'HTTP 431',
    { hub, fence: 'answer', orElse: ['', 'reset'] },
  ),
  greeting(
    'a token named like a member of objects',
    { lines: [bearer('__proto__')] },
    refused(401),
    { hub },
  ),
  greeting(
    'two headers with a token',
    { lines: [bearer(TOKEN.alice), bearer(TOKEN.bob)] },
    refused(400),
    { hub },
  ),
  greeting('a directory that is not there', { lines: [bearer(TOKEN.throwing)] }, refused(503), {
    hub,
    moved: { callbackErrors: 1 },
  }),
  greeting('a directory that never answers', { lines: [bearer(TOKEN.hanging)] }, refused(503), {
    hub: 'hanging',
  }),
  greeting('a directory that says nonsense', { lines: [bearer(TOKEN.nonsense)] }, refused(503), {
    hub,
    moved: { callbackErrors: 1 },
  }),
  request(
    'a token with a line break',
    handshake({ lines: [`Authorization: Bearer ${CANARY}\r\n${CANARY}`] }),
    refused(400),
    { hub },
  ),
  request('a token with NUL', handshake({ lines: [bearer(`${TOKEN.alice}\0`)] }), refused(400), {
    hub,
  }),
]

const plain: Row[] = [
  ['no token', []],
  ['an empty token', [bearer('')]],
  ['a token of another scheme', [`Authorization: Basic ${TOKEN.alice}`]],
  ['a token without a scheme', [`Authorization: ${TOKEN.alice}`]],
  ['a token in two words', [bearer(`${TOKEN.alice} ${TOKEN.alice}`)]],
  ['a token in a cookie', [`Cookie: token=${TOKEN.alice}`]],
  ['a token in a header for proxies', [`Proxy-Authorization: Bearer ${TOKEN.alice}`]],
].map(([name, more]) =>
  greeting(`plain: ${String(name)}`, { busV1: false, lines: more as string[] }, refused(401), {
    hub,
  }),
)

const inUrl: Row[] = [
  'token',
  'access_token',
  'Authorization',
  'api-key',
  'apiKey',
  'password',
  'a=1&token',
  'tok%65n',
].map((name) =>
  greeting(`the URL names ${name}`, { target: `/?${name}=${TOKEN.alice}` }, refused(400), { hub }),
)

const asOffer: Row[] = [
  greeting(
    'a token as a subprotocol, which is not repeated',
    { busV1: false, lines: [`Sec-WebSocket-Protocol: bus.v1, ${TOKEN.alice}`] },
    IN,
    { hub },
  ),
  row(
    'a token as a subprotocol, which lets nobody in',
    [
      {
        say: handshake({ busV1: false, lines: [`Sec-WebSocket-Protocol: bus.v1, ${TOKEN.alice}`] }),
      },
      { hear: 'HTTP 101' },
      { say: text(hello()) },
    ],
    'close 4401 unauthorized',
    { hub },
  ),
]

const inHello: Row[] = [
  firstLine('no token at all', hello(), 'close 4401 unauthorized', { hub }),
  firstLine(
    'hello: a token that nobody has',
    hello({ token: TOKEN.stranger }),
    'close 4401 unauthorized',
    { hub },
  ),
  firstLine(
    'hello: a token that is over',
    hello({ token: TOKEN.expired }),
    'close 4401 unauthorized',
    { hub },
  ),
  firstLine(
    'hello: the longest token',
    hello({ token: CANARY + 'x'.repeat(16_384 - CANARY.length) }),
    'close 4401 unauthorized',
    { hub },
  ),
  firstLine(
    'hello: a token that is too long',
    hello({ token: CANARY + 'x'.repeat(16_385 - CANARY.length) }),
    'close 4400 hello shape',
    { hub },
  ),
  ...['', 1, null, true, [TOKEN.alice], { token: TOKEN.alice }].map((token) =>
    firstLine(
      `hello: the token ${Array.isArray(token) ? 'in an array' : token instanceof Object ? 'in an object' : JSON.stringify(token)}`,
      hello({ token }),
      'close 4400 hello shape',
      { hub },
    ),
  ),
  firstLine(
    'hello: a line break around the token',
    hello({ token: `${TOKEN.alice}\n` }),
    'close 4401 unauthorized',
    { hub },
  ),
  firstLine(
    'hello: a directory that is not there',
    hello({ token: TOKEN.throwing }),
    'close 4503 authentication',
    {
      hub,
      fence: 'over',
      moved: { callbackErrors: 1 },
    },
  ),
  firstLine(
    'hello: a directory that never answers',
    hello({ token: TOKEN.hanging }),
    'close 4408 hello',
    { hub: 'hanging', fence: 'over' },
  ),
  row(
    'hello: a bad token counts instead of a good one in the handshake',
    [
      { say: handshake({ lines: [bearer(TOKEN.alice)] }) },
      { hear: 'HTTP 101' },
      { say: text(hello({ token: TOKEN.stranger })) },
    ],
    'close 4401 unauthorized',
    { hub },
  ),
]

const alice = { token: TOKEN.alice }

const inAuth: Row[] = [
  lines(
    'auth: a token that nobody has',
    `auth ${JSON.stringify({ token: TOKEN.stranger })}`,
    'close 4401 unauthorized',
    { hub, hello: alice, fence: 'over' },
  ),
  lines(
    'auth: somebody else',
    `auth ${JSON.stringify({ token: TOKEN.bob })}`,
    'close 4403 another principal',
    { hub, hello: alice, fence: 'over' },
  ),
  lines(
    'auth: one that is over',
    `auth ${JSON.stringify({ token: TOKEN.expired })}`,
    'close 4401 unauthorized',
    { hub, hello: alice, fence: 'over' },
  ),
  lines(
    'auth: one that may do less',
    `auth ${JSON.stringify({ token: TOKEN.lesser })}`,
    'close 4403 subscription',
    {
      hub: 'hanging',
      fence: 'over',
      hello: { token: TOKEN.shop, subs: [{ id: 1, pattern: 'shop.*', mode: 'alo' }] },
    },
  ),
  lines('auth: nothing', 'auth {}', 'close 4400 auth shape', { hub, hello: alice }),
  lines('auth: no JSON', `auth ${CANARY}`, 'close 4400 auth json', { hub, hello: alice }),
  firstLine(
    'auth before the first line',
    `auth ${JSON.stringify(alice)}`,
    'close 4400 auth first',
    { hub },
  ),
]

const greetAs = (token: string, sid: (sid: string) => string): Step[] => [
  { say: handshake() },
  { hear: 'HTTP 101' },
  { say: (heard) => text(hello({ token, sid: sid(heard.sid) })) },
]

const sessions: Row[] = [
  row(
    'the session of somebody else',
    [
      ...greetAs(TOKEN.alice, () => 'none'),
      { hear: 'welcome' },
      { say: text(`pub 1 a i ${BODY}`) },
      { hear: 'ok 1' },
      { dial: true },
      ...greetAs(TOKEN.bob, (sid) => sid),
    ],
    'welcome new',
    { hub, fence: 'answer', events: 1 },
  ),
  row(
    'the session of somebody else, in other letters',
    [
      ...greetAs(TOKEN.alice, () => 'none'),
      { hear: 'welcome' },
      { dial: true },
      ...greetAs(TOKEN.alice, (sid) => `${sid}A`),
    ],
    'welcome new',
    { hub, fence: 'answer' },
  ),
]

/** At least 25. */
export const tokens: readonly Row[] = [
  ...inHeader,
  ...plain,
  ...inUrl,
  ...asOffer,
  ...inHello,
  ...inAuth,
  ...sessions,
]
