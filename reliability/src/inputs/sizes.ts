/** One below a limit, at it, and one above; bursts; and as many as there are places. */
import { frame, OPCODE, text } from '../raw/frame.ts'
import { handshake, hello } from '../raw/handshake.ts'
import { BODY, frames, lines, refused, row, welcomed } from './build.ts'
import type { Row, Step } from './row.ts'

/** The line of an event with so many bytes. */
function line(bytes: number, head = 'pub 1'): string {
  const start = `${head} a i {"payload":"`
  const end = '","metadata":{"timestamp":1}}'
  return `${start}${'x'.repeat(bytes - start.length - end.length)}${end}`
}

const small = { hub: 'small' }

const events: Row[] = [
  ...[1_023, 1_024].flatMap((bytes) => [
    lines(`an event of ${bytes} bytes`, line(bytes), 'ok 1', { ...small, events: 1 }),
    lines(`an event of ${bytes} bytes, sent again`, line(bytes, 'rep 1'), 'ok 1', {
      ...small,
      events: 1,
    }),
    lines(`an event of ${bytes} bytes without a number`, line(bytes, 'pub -'), '', {
      ...small,
      events: 1,
    }),
  ]),
  lines('an event of 1,025 bytes', line(1_025), 'no 1 size', small),
  lines('an event of 1,025 bytes, sent again', line(1_025, 'rep 1'), 'no 1 size', small),
  lines('an event of 1,025 bytes without a number', line(1_025, 'pub -'), '', {
    ...small,
    moved: { refused: 1 },
  }),
  lines(
    'a good event behind one that is too large',
    `${line(1_025)}\n${line(200, 'pub 2')}`,
    'no 1 size | ok 2',
    { ...small, events: 1 },
  ),
  lines('an event of 262,144 bytes', line(262_144), 'ok 1', { events: 1 }),
  lines('an event of 262,145 bytes', line(262_145), 'no 1 size'),
]

const messages: Row[] = [
  ...[4_095, 4_096].map((bytes) =>
    lines(`a message of ${bytes} bytes`, line(bytes), 'no 1 size', small),
  ),
  lines('a message of 4,097 bytes', line(4_097), 'close 1009', small),
  frames(
    'fragments of 4,097 bytes',
    [
      frame({ fin: false, payload: 'x'.repeat(4_000) }),
      frame({ opcode: OPCODE.continuation, payload: 'x'.repeat(97) }),
    ],
    'close 1009',
    small,
  ),
  frames('only the header of 4,097 bytes', frame({ length: 4_097 }), 'close 1009', small),
  lines('a message of 1 MiB', line(1_048_576), 'no 1 size'),
  lines('a message of 1 MiB and 1', line(1_048_577), 'close 1009'),
]

const sub = (id: number): { id: number; pattern: string; mode: string } => ({
  id,
  pattern: `own.p${id}`,
  mode: 'alo',
})
const subs = (count: number): object[] => Array.from({ length: count }, (_, i) => sub(i))

const subLines = (count: number): string =>
  Array.from({ length: count }, (_, i) => `sub ${i + 1} own.p${i} alo`).join('\n')

/** So that nothing of the session is kept. */
const UNSUBS = 'unsub 1\nunsub 2\nunsub 3'

const subscriptions: Row[] = [
  lines('4 of 4 subscriptions', 'sub 4 own.x alo', 'subok 4', {
    ...small,
    hello: { subs: subs(3) },
  }),
  lines('5 of 4 subscriptions', 'sub 5 own.x alo', 'subno 5 limit', {
    ...small,
    hello: { subs: subs(4) },
  }),
  lines('5 of 4 subscriptions, behind one that ended', 'unsub 0\nsub 5 own.x alo', 'subok 5', {
    ...small,
    hello: { subs: subs(4) },
  }),
  lines('128 of 128 subscriptions', 'sub 128 own.x alo', 'subok 128', {
    hello: { subs: subs(127) },
  }),
  lines('129 of 128 subscriptions', 'sub 129 own.x alo', 'subno 129 limit', {
    hello: { subs: subs(128) },
  }),
  lines('10,000 subscriptions in hello', 'unsub 0\nunsub 1\nsub 200000 own.x alo', 'subok 200000', {
    hello: { subs: subs(10_000) },
  }),
  lines(
    '10,000 sub lines in a message',
    Array.from({ length: 10_000 }, (_, i) => `sub ${i} own.p${i} alo`)
      .slice(0, 30_000)
      .join('\n'),
    [
      ...Array.from({ length: 128 }, (_, i) => `subok ${i}`),
      ...Array.from({ length: 9_872 }, (_, i) => `subno ${i + 128} limit`),
    ].join(' | '),
  ),
  // The watcher of the hub has one of them.
  lines('4 of 4 subscriptions in all', `${subLines(3)}\n${UNSUBS}`, 'subok 1 | subok 2 | subok 3', {
    hub: 'shared',
  }),
  lines(
    '5 of 4 subscriptions in all',
    `${subLines(4)}\n${UNSUBS}`,
    'subok 1 | subok 2 | subok 3 | subno 4 limit',
    { hub: 'shared' },
  ),
]

const burst = (count: number, n: (i: number) => number | string = (i) => i + 1): string =>
  Array.from({ length: count }, (_, i) => `pub ${n(i)} a i ${BODY}`).join('\n')

const rates: Row[] = [
  lines('3 of 3 events in a second', burst(3), 'ok 3', { hub: 'rated', events: 3 }),
  lines('4 of 3 events in a second', burst(4), 'no 4 rate | ok 4', { hub: 'rated', events: 3 }),
  lines('6 of 3 events in a second', burst(6), 'no 4 rate | no 5 rate | no 6 rate | ok 6', {
    hub: 'rated',
    events: 3,
  }),
  lines(
    '4 of 3 events in a second without numbers',
    burst(4, () => '-'),
    '',
    { hub: 'rated', events: 3, moved: { refused: 1 } },
  ),
  lines('1,000 events in a message', burst(1_000), 'ok 1000', { events: 1_000 }),
  frames(
    '50 pings at once',
    Buffer.concat(Array.from({ length: 50 }, () => frame({ opcode: OPCODE.ping, payload: 'p' }))),
    Array.from({ length: 50 }, () => 'pong p').join(' | '),
  ),
  frames(
    '20,000 pongs that nobody asked for',
    Buffer.concat(
      Array.from({ length: 20_000 }, () => frame({ opcode: OPCODE.pong, payload: 'p' })),
    ),
    'bye {"code":4429,"retryAfterMs":1000} | close 4429 control frames',
    { hub: 'flooded', fence: 'over', moved: { floods: 1 } },
  ),
]

const again = (count: number, steps: Step[]): Step[] =>
  Array.from({ length: count }, () => steps).flatMap((one) => [...one, { dial: true } as const])

const IN: Step[] = [{ say: handshake() }, { hear: 'HTTP 101' }]

/** The watcher of each hub has one of the places. */
const places: Row[] = [
  row('6 of 6 connections', [...again(4, IN), { say: handshake() }], 'HTTP 101 bus.v1', {
    hub: 'crowded',
  }),
  row('7 of 6 connections', [...again(5, IN), { say: handshake() }], refused(503), {
    hub: 'crowded',
  }),
  row(
    '7 of 6 connections on the plain wire',
    [...again(5, IN), { say: handshake({ busV1: false }) }],
    refused(503),
    { hub: 'crowded' },
  ),
  row(
    '6 of 6 connections from an address',
    [...again(4, IN), { say: handshake() }],
    'HTTP 101 bus.v1',
    { hub: 'lonely' },
  ),
  row('7 of 6 connections from an address', [...again(5, IN), { say: handshake() }], refused(429), {
    hub: 'lonely',
    moved: { refusedPerIp: 1 },
  }),
  row(
    '7 of 6 connections from an address that says it is another',
    [
      ...again(5, IN),
      {
        say: handshake({
          lines: [
            'X-Forwarded-For: 203.0.113.7',
            'Forwarded: for=203.0.113.7',
            'X-Real-IP: 203.0.113.7',
          ],
        }),
      },
    ],
    refused(429),
    { hub: 'lonely', moved: { refusedPerIp: 1 } },
  ),
  row('5 of 5 sessions', [...again(3, welcomed()), ...IN, { say: text(hello()) }], 'welcome new', {
    hub: 'few',
    fence: 'answer',
  }),
  row(
    '6 of 5 sessions',
    [...again(4, welcomed()), ...IN, { say: text(hello()) }],
    'close 4503 sessions',
    { hub: 'few', fence: 'over' },
  ),
]

const hasty = { hub: 'hasty', fence: 'over' } as const

const slow: Row[] = [
  row('nothing behind the handshake', IN, 'close 4408 hello', hasty),
  row(
    'half a frame behind the handshake',
    [...IN, { say: text(hello()).subarray(0, 9) }],
    'close 4408 hello',
    hasty,
  ),
  row(
    'only pings behind the handshake',
    [...IN, { say: frame({ opcode: OPCODE.ping, payload: 'a' }) }],
    'pong a | close 4408 hello',
    hasty,
  ),
  row(
    'fragments behind the handshake',
    [...IN, { say: frame({ fin: false, payload: hello() }) }],
    'close 4408 hello',
    hasty,
  ),
]

const fields: Row[] = [
  lines('an id of 128 bytes', `pub 1 a ${'i'.repeat(128)} ${BODY}`, 'ok 1', { events: 1 }),
  lines('an id of 129 bytes', `pub 1 a ${'i'.repeat(129)} ${BODY}`, 'close 4400 pub id'),
  lines('no id', `pub 1 a  ${BODY}`, 'close 4400 pub id'),
  lines('the smallest window', 'unsub 1', '', { hello: { window: { events: 1, bytes: 1 } } }),
  lines('the largest window', 'unsub 1', '', {
    hello: { window: { events: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER } },
  }),
  lines('messages of 1 byte', 'unsub 1', '', { hello: { maxMessageBytes: 1 } }),
]

const onPlain = (name: string, bytes: Uint8Array, want: string, moved: Row['moved']): Row =>
  row(name, [{ say: handshake({ busV1: false }) }, { hear: 'HTTP 101' }, { say: bytes }], want, {
    fence: 'pong',
    moved,
  })

const plain: Row[] = [
  onPlain('plain: 256 KiB of text', text('x'.repeat(262_144)), '', { received: 1, unbridged: 1 }),
  onPlain('plain: 1 MiB of text', text('x'.repeat(1_048_576)), '', {
    received: 1,
    plainRefused: 1,
  }),
  onPlain('plain: 1 MiB and 1', text('x'.repeat(1_048_577)), 'close 1009', {
    plainBadFrames: 1,
    badFrames: 0,
  }),
  onPlain('plain: bytes', frame({ opcode: OPCODE.binary, payload: 'x' }), '', {
    received: 1,
    unbridged: 1,
  }),
  onPlain('plain: nothing', text(''), '', { received: 1, unbridged: 1 }),
  onPlain(
    'plain: an event',
    text('{"id":"i","event_type":"a","payload":1,"metadata":{"timestamp":1}}'),
    '',
    { received: 1, published: 1 },
  ),
]

/** At least 40. */
export const sizes: readonly Row[] = [
  ...events,
  ...messages,
  ...subscriptions,
  ...rates,
  ...places,
  ...slow,
  ...fields,
  ...plain,
]
