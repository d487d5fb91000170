/** Types and patterns outside the grammar, and those at its edges. */
import { BODY, lines } from './build.ts'
import type { Row } from './row.ts'

const tokensOf = (count: number): string => Array.from({ length: count }, () => 'a').join('.')

/** A valid pattern of so many bytes. */
const long = (bytes: number): string => 'a'.repeat(bytes)

/** Neither a type nor a pattern. */
const strange = [
  '.',
  '..',
  'a.',
  '.a',
  'a..b',
  'a/b',
  'a:b',
  'a+b',
  'a#',
  'a,b',
  'a\\b',
  'a"b',
  "a'b",
  'a%20b',
  '$JS.API.STREAM.CREATE',
  '$SYS.>',
  '_INBOX.>.a',
  '__keyspace@0__:a',
  '{a}',
  'a[0-9]',
  'a?',
  'a**',
  '**',
  'é',
  'а.b',
  '٣',
  'a\u200bb',
  'a\u202eb',
  '\ud83d\ude00',
  'a\tb',
  'a\rb',
  'a\u0000b',
  'a\u001b[31m',
  'a\u007f',
  tokensOf(17),
  long(256),
  tokensOf(100_000),
]

const types: Row[] = [...strange, '*', '>', 'a.*', 'a.>', 'a.*.b', 'a*', 'a>'].map((type) =>
  lines(`the type ${shown(type)}`, `pub 1 ${type} i ${BODY}`, 'no 1 type'),
)

const patterns: Row[] = [
  ...strange,
  'a*',
  '*a',
  'a.*b',
  '>.a',
  '>.>',
  'a.>.b',
  '>a',
  'a.>>',
  '*.>.*',
].map((pattern) =>
  lines(`the pattern ${shown(pattern)}`, `sub 1 ${pattern} alo`, 'close 4400 sub pattern'),
)

const empty: Row[] = [
  lines('no type', `pub 1  i ${BODY}`, 'no 1 type'),
  lines('no pattern', 'sub 1  alo', 'close 4400 sub pattern'),
  lines('a type with a line feed', `pub 1 a\nb i ${BODY}`, 'close 4400 pub type'),
  lines('a pattern with a line feed', 'sub 1 a\nb alo', 'close 4400 sub fields'),
  lines('five stars', 'sub 1 *.*.*.*.* alo', 'subno 1 pattern'),
  lines('sixteen stars', `sub 1 ${tokensOf(16).replaceAll('a', '*')} alo`, 'subno 1 pattern'),
]

/** At the edge, and within. */
const passing: Row[] = [
  tokensOf(16),
  long(255),
  '__proto__',
  'constructor.prototype',
  '-',
  '_.-.0',
  '0',
].flatMap((type) => [
  lines(`the type ${shown(type)} passes`, `pub 1 ${type} i ${BODY}`, 'ok 1', { events: 1 }),
  lines(`the pattern ${shown(type)} passes`, `sub 1 ${type} alo`, 'subok 1'),
])

const wild: Row[] = ['*', '>', '*.*.*.*', '*.>', 'a.*.>'].map((pattern) =>
  lines(`the pattern ${pattern} passes`, `sub 1 ${pattern} amo`, 'subok 1'),
)

function shown(text: string): string {
  const safe = JSON.stringify(text).replaceAll(
    /[^\x20-\x7e]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return safe.length > 40 ? `${safe.slice(0, 20)}… of ${text.length}` : safe
}

/** At least 60. */
export const topics: readonly Row[] = [...types, ...patterns, ...empty, ...passing, ...wild]
