/** JSON that is none, too deep, or of another shape, in each line that has some. */
import { hello } from '../raw/handshake.ts'
import { BODY, firstLine, lines } from './build.ts'
import type { Row } from './row.ts'

const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)

const noJson: Row[] = [
  '{',
  '}',
  '{}}',
  '{"v":1,"subs":[],}',
  '{"v":1 "subs":[]}',
  "{'v':1,'subs':[]}",
  '{v:1,subs:[]}',
  '{"v":1,"subs":[]} x',
  '{"v":1,"subs":[]}{"v":1,"subs":[]}',
  '/**/{"v":1,"subs":[]}',
  '\ufeff{"v":1,"subs":[]}',
  '{"v":01,"subs":[]}',
  '{"v":+1,"subs":[]}',
  '{"v":1.,"subs":[]}',
  '{"v":0x1,"subs":[]}',
  '{"v":NaN,"subs":[]}',
  '{"v":Infinity,"subs":[]}',
  '{"v":1,"subs":undefined}',
  '{"v":1,"subs":[],"a":"\u0001"}',
  '{"v":1,"subs":[],"a":"\\x41"}',
  '{"v":1,"subs":[],"a":"\\u12"}',
  '{"v":1,"subs":[],"a":"',
  '[]',
  '"hello"',
  '1',
  'null',
  'true',
  deep(9),
  deep(10_000),
  deep(500_000),
  `{"v":1,"subs":${deep(8)}}`,
  `{"v":1,"subs":[],"a":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
].map((json) =>
  firstLine(
    `hello: ${json.length > 60 ? `${json.slice(0, 30)}… of ${json.length}` : JSON.stringify(json)}`,
    `hello ${json}`,
    'close 4400 hello json',
  ),
)

const versionsOf: Row[] = [
  '0',
  '2',
  '1.5',
  '-1',
  '"1"',
  'true',
  'null',
  '[1]',
  '{}',
  '1e400',
  '1,"v":2',
].map((v) => firstLine(`hello: v ${v}`, `hello {"v":${v},"subs":[]}`, 'close 4400 hello version'))

/** Members that are of another form; each is the JSON of the value. */
const shapes: readonly (readonly [member: string, values: readonly string[]])[] = [
  ['subs', ['null', '{}', '""', '0', '[1]', '[null]', '[[]]', '[{}]']],
  ['sid', ['""', '1', 'null', '" "', '"a b"', '"é"', '{}', `"${'a'.repeat(65)}"`, '"a\\u0000"']],
  ['epoch', ['""', '1', 'null', '"a/b"']],
  ['offset', ['-1', '1.5', '1e999', '-0', '9007199254740992', '"1"', 'null', 'true', '[]']],
  [
    'window',
    [
      'null',
      '1',
      '{}',
      '[]',
      '{"events":1}',
      '{"events":0,"bytes":1}',
      '{"events":1,"bytes":-1}',
      '{"events":1.5,"bytes":1}',
    ],
  ],
  ['maxMessageBytes', ['0', '-1', '1.5', '1e999', '"1"', 'null']],
]

const members: Row[] = shapes.flatMap(([member, values]) =>
  values.map((value) => {
    const json =
      member === 'subs' ? `{"v":1,"subs":${value}}` : `{"v":1,"subs":[],"${member}":${value}}`
    const shown = value.length > 40 ? `${value.slice(0, 20)}… of ${value.length}` : value
    return firstLine(`hello: ${member} ${shown}`, `hello ${json}`, 'close 4400 hello shape')
  }),
)

const sub = { id: 1, pattern: 'a', mode: 'alo' }

const subscriptions: Row[] = [
  { ...sub, id: undefined },
  { ...sub, id: -1 },
  { ...sub, id: '1' },
  { ...sub, id: 1.5 },
  { ...sub, pattern: undefined },
  { ...sub, pattern: 1 },
  { ...sub, pattern: 'a..b' },
  { ...sub, mode: undefined },
  { ...sub, mode: 'ALO' },
  { ...sub, mode: null },
  { ...sub, from: -1 },
  { ...sub, from: '0' },
  { ...sub, from: null },
].map((bad) =>
  firstLine(
    `hello: the subscription ${JSON.stringify(bad)}`,
    hello({ subs: [bad] }),
    'close 4400 hello shape',
  ),
)

const inOthers: Row[] = [
  firstLine('hello: no subs', 'hello {"v":1}', 'close 4400 hello shape'),
  firstLine('hello: an id twice', hello({ subs: [sub, sub] }), 'close 4400 hello shape'),
  ...['{', '[]', 'null', '1', '{"token":"a"', `{"token":${deep(8)}}`].map((json) =>
    lines(`auth: ${json}`, `auth ${json}`, 'close 4400 auth json'),
  ),
  ...['{}', '{"token":""}', '{"token":1}', '{"token":null}', '{"token":["a"]}'].map((json) =>
    lines(`auth: ${json}`, `auth ${json}`, 'close 4400 auth shape'),
  ),
  ...['', ' ', 'x', '[]', '"a"', '1', 'null', '{', '}', `{}x`, ` ${BODY}`, '{'.repeat(3)].map(
    (body) =>
      lines(`pub: the body ${JSON.stringify(body)}`, `pub 1 a i ${body}`, 'close 4400 pub body'),
  ),
]

/** What looks bad and must pass: unknown members are ignored, and bodies are opaque. */
const passing: Row[] = [
  '"__proto__":{"admin":true}',
  '"constructor":{"prototype":{"admin":true}}',
  '"prototype":{}',
  '"toString":1,"hasOwnProperty":1,"valueOf":1',
  '"a":1,"a":2',
  `"a":${deep(7)}`,
  `"a":"${'x'.repeat(100_000)}"`,
  `"a":${'9'.repeat(10_000)}`,
  Array.from({ length: 50_000 }, (_, i) => `"${i * 32}":0`).join(','),
].map((more) =>
  lines(`hello: more of ${more.length > 60 ? `${more.length} characters` : more}`, 'unsub 1', '', {
    hello: JSON.parse(`{${more}}`) as Record<string, unknown>,
  }),
)

/** Opaque on `bus.v1`, but they have no form on the plain wire. */
const bodies: Row[] = [
  '{}',
  '{"payload":1}',
  '{x}',
  '{"payload":1,"metadata":1}',
  `{"payload":${deep(10_000)},"metadata":{"timestamp":1}}`,
].map((body) =>
  lines(`pub: the opaque body ${body.slice(0, 30)}`, `pub 1 a i ${body}`, 'ok 1', {
    events: 1,
    moved: { unbridged: 1 },
  }),
)

const bridged: Row[] = ['__proto__', 'constructor', 'prototype'].map((key) =>
  lines(
    `pub: a payload with ${key}`,
    `pub 1 a i {"payload":{"${key}":{"admin":true}},"metadata":{"timestamp":1}}`,
    'ok 1',
    { events: 1 },
  ),
)

/** At least 80. */
export const json: readonly Row[] = [
  ...noJson,
  ...versionsOf,
  ...members,
  ...subscriptions,
  ...inOthers,
  ...passing,
  ...bodies,
  ...bridged,
]
