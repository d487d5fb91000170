/** Numbers, offsets and lines that do not fit the session or the moment. */
import { text } from '../raw/frame.ts'
import { handshake, hello } from '../raw/handshake.ts'
import { BODY, firstLine, lines, row, welcomed } from './build.ts'
import type { Row } from './row.ts'

const pub = (n: number | string, verb = 'pub'): string => `${verb} ${n} a i ${BODY}`

const notNumbers = [
  '0',
  '-1',
  '+1',
  '01',
  '1.0',
  '1e3',
  '0x1',
  '--',
  '-0',
  'x',
  'NaN',
  '٣',
  '9007199254740992',
  '9'.repeat(400),
]

const numbers: Row[] = [
  ...notNumbers.map((n) => lines(`pub: the number ${n.slice(0, 20)}`, pub(n), 'close 4400 pub n')),
  ...notNumbers
    .slice(1)
    .filter((n) => n !== '--')
    .map((n) => lines(`ack: the offset ${n.slice(0, 20)}`, `ack ${n}`, 'close 4400 ack offset')),
  ...['-1', '01', 'x', '9007199254740992'].flatMap((id) => [
    lines(`sub: the id ${id}`, `sub ${id} a alo`, 'close 4400 sub id'),
    lines(`unsub: the id ${id}`, `unsub ${id}`, 'close 4400 unsub id'),
  ]),
  ...['-1', '01', '1.5', 'x'].map((from) =>
    lines(`sub: from ${from}`, `sub 1 a alo ${from}`, 'close 4400 sub offset'),
  ),
]

const holes: Row[] = [
  lines('pub: begins with 2', pub(2), 'close 4409 pub hole'),
  lines('rep: begins with 2', pub(2, 'rep'), 'close 4409 rep hole'),
  lines('pub: 3 behind 1', `${pub(1)}\n${pub(3)}`, 'close 4409 pub hole', { events: 1 }),
  lines('pub: the largest number', pub(Number.MAX_SAFE_INTEGER), 'close 4409 pub hole'),
  lines('pub: 1 twice', `${pub(1)}\n${pub(1)}`, 'ok 1', { events: 1, moved: { duplicates: 1 } }),
  row(
    'pub: 1 again, behind its confirmation',
    [...welcomed(), { say: text(pub(1)) }, { hear: 'ok 1' }, { say: text(pub(1)) }],
    'ok 1',
    { fence: 'line', events: 1, moved: { duplicates: 1 } },
  ),
  lines('pub: 1 again as rep', `${pub(1)}\n${pub(1, 'rep')}`, 'ok 1', {
    events: 1,
    moved: { duplicates: 1 },
  }),
  lines('pub: 1 again as another event', `${pub(1)}\npub 1 b j ${BODY}`, 'ok 1', {
    events: 1,
    moved: { duplicates: 1 },
  }),
  lines('pub: one without a number is not answered', pub('-'), '', { events: 1 }),
  lines('pub: a bad one without a number is counted only', `pub - a..b i ${BODY}`, '', {
    moved: { refused: 1 },
  }),
  lines(
    'pub: refused, and its number is used up',
    `pub 1 a..b i ${BODY}\n${pub(2)}\n${pub(1)}`,
    'no 1 type | ok 2',
    { events: 1, moved: { duplicates: 1 } },
  ),
]

/** On the hub whose log is full for good behind the first row. */
const waiting: Row[] = [
  lines('window: what finds room', `${pub(1)}\n${pub(2)}`, 'ok 2', { hub: 'held', events: 2 }),
  lines('window: what finds none waits', [1, 2, 3, 4].map((n) => pub(n)).join('\n'), '', {
    hub: 'held',
  }),
  lines(
    'window: one more',
    [1, 2, 3, 4, 5].map((n) => pub(n)).join('\n'),
    'close 4409 pub window',
    { hub: 'held' },
  ),
  lines(
    'window: one more as rep',
    [1, 2, 3, 4, 5].map((n) => pub(n, 'rep')).join('\n'),
    'close 4409 rep window',
    { hub: 'held' },
  ),
  lines('window: again, while it waits', `${pub(1)}\n${pub(1)}`, 'ok 0', {
    hub: 'held',
    moved: { duplicates: 1 },
  }),
  lines(
    'window: twice the bytes',
    [1, 2, 3].map((n) => `pub ${n} a i {"payload":"${'x'.repeat(2_000)}"}`),
    'close 4409 pub window',
    { hub: 'held' },
  ),
  lines(
    'window: a refusal waits for what is in front of it',
    `${pub(1)}\npub 2 a..b i ${BODY}`,
    '',
    { hub: 'held' },
  ),
  lines(
    'window: without a number it is dropped beyond it',
    Array.from({ length: 5 }, () => `pub - a i {"payload":"${'x'.repeat(900)}"}`).join('\n'),
    '',
    { hub: 'held', moved: { shed: 3 } },
  ),
]

/** Says something about where the log ended. */
const acks: Row[] = [
  lines('ack: what was never sent', 'ack 9007199254740991', 'close 4409 ack offset'),
  lines('ack: 0', 'ack 0', ''),
  lines('ack: 0 again and again', 'ack 0\nack 0\nack 0', ''),
  lines('ack: nothing', 'ack ', 'close 4400 ack fields'),
  lines('ack: two offsets', 'ack 1 2', 'close 4400 ack offset'),
  row(
    'ack: one beyond what was sent',
    [
      ...welcomed({ subs: [{ id: 1, pattern: 'own.acks', mode: 'alo' }] }),
      { say: text(`pub 1 own.acks i ${BODY}`) },
      { hear: 'ev ' },
      { say: (heard) => text(`ack ${heard.offset + 1}`) },
    ],
    'close 4409 ack offset',
    { events: 1, fence: 'line' },
  ),
  row(
    'ack: what was sent, twice, and less',
    [
      ...welcomed({ subs: [{ id: 1, pattern: 'own.acks', mode: 'alo' }] }),
      { say: text(`pub 1 own.acks i ${BODY}`) },
      { hear: 'ev ' },
      { say: (heard) => text(`ack ${heard.offset}\nack ${heard.offset}\nack ${heard.offset - 1}`) },
    ],
    '',
    { events: 1, fence: 'line' },
  ),
]

const moments: Row[] = [
  ...[
    pub(1),
    pub(1, 'rep'),
    'sub 1 a alo',
    'unsub 1',
    'ack 0',
    'auth {"token":"a"}',
    'bye {"code":1000}',
  ].map((line) => {
    const verb = line.split(' ', 1)[0] ?? ''
    return firstLine(`${verb} before hello`, line, `close 4400 ${verb} first`)
  }),
  firstLine(
    'a line in the same message as hello',
    `${hello()}\n${pub(1)}`,
    'close 4400 pub early',
    { fence: 'over' },
  ),
  firstLine('hello twice in a message', `${hello()}\n${hello()}`, 'close 4400 hello again', {
    fence: 'over',
  }),
  lines('hello again', hello(), 'close 4400 hello again'),
  lines('bye', 'bye {"code":1000}', 'close 1000'),
  lines('bye, and more', `bye {"code":1000}\n${pub(1)}`, 'close 1000'),
  lines('sub: an id again', 'sub 1 a alo\nsub 1 b alo', 'close 4400 sub again'),
  lines('sub: from beyond the head', 'sub 1 a alo 9007199254740991', 'subok 1'),
  lines('sub: no mode', 'sub 1 a', 'close 4400 sub fields'),
  lines('sub: too much', 'sub 1 a alo 0 0', 'close 4400 sub fields'),
  lines('sub: another mode', 'sub 1 a once', 'close 4400 sub mode'),
  lines('unsub: what is not there', 'unsub 7\nunsub 7', ''),
  row(
    'unsub: what is somebody else’s',
    [
      ...welcomed({ subs: [{ id: 7, pattern: 'own.unsub', mode: 'alo' }] }),
      { dial: true },
      ...welcomed(),
      { say: text('unsub 7') },
    ],
    '',
    { fence: 'line' },
  ),
  ...[
    'ev 1 a i {}',
    'ok 1',
    'no 1 size',
    'welcome {}',
    'gap 1 1 slow',
    'mark 1',
    'PUB 1',
    'Pub 1',
    ' pub 1',
    'publish 1',
    'pubb 1',
    'pu',
  ].map((line) => lines(`the line ${line}`, line, 'close 4400 line verb')),
  ...['pub', 'rep', 'sub', 'unsub', 'ack', 'auth', 'bye', 'hello'].map((verb) =>
    lines(`nothing but ${verb}`, verb, `close 4400 ${verb} fields`),
  ),
  lines('a line feed at the end', `${pub(1)}\n`, 'close 4400 line empty', { events: 1 }),
  lines('a carriage return at the end', 'unsub 1\r', 'close 4400 unsub id'),
]

const resumed: Row[] = [
  firstLine(
    'hello: an offset beyond the head is another log',
    hello({ offset: Number.MAX_SAFE_INTEGER, subs: [{ id: 1, pattern: 'own.gap', mode: 'alo' }] }),
    'welcome new',
    { moved: { gaps: 1 } },
  ),
  firstLine(
    'hello: another epoch',
    hello({ epoch: 'another', offset: 1, subs: [{ id: 1, pattern: 'own.gap', mode: 'alo' }] }),
    'welcome new',
    { moved: { gaps: 1 } },
  ),
  row(
    'hello: a session that is connected',
    [
      ...welcomed(),
      { say: text(pub(1)) },
      { hear: 'ok 1' },
      { dial: true },
      { say: handshake() },
      { hear: 'HTTP 101' },
      { say: (heard) => text(hello({ sid: heard.sid })) },
    ],
    'welcome resumed',
    { fence: 'answer', events: 1, moved: { resumed: 1, fenced: 1 } },
  ),
  row(
    'hello: a session, and 3 behind 1',
    [
      ...welcomed(),
      { say: text(pub(1)) },
      { hear: 'ok 1' },
      { dial: true },
      { say: handshake() },
      { hear: 'HTTP 101' },
      { say: (heard) => text(hello({ sid: heard.sid })) },
      { hear: 'welcome' },
      { say: text(pub(3)) },
    ],
    'close 4409 pub hole',
    { fence: 'line', events: 1, moved: { resumed: 1, fenced: 1 } },
  ),
]

/** At least 40. */
export const sequences: readonly Row[] = [
  ...numbers,
  ...holes,
  ...waiting,
  ...acks,
  ...moments,
  ...resumed,
]
