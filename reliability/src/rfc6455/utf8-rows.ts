/** Group 6: text that is UTF-8, and text that is not. A mistake is seen when its message is complete. */
import { fragments, hex, row, saidText, text, type Chop, type Row } from './row.ts'

const KOSME = hex('cebae1bdb9cf83cebcceb5')
const UTF8 = Buffer.from('Hello-µ@ßöäüàá-UTF-8!!')

const octetsOf = (bytes: Buffer): Buffer[] => [...bytes].map((byte) => Buffer.of(byte))

const HANDLING: readonly Row[] = [
  row('6.1.1', 'empty text', [text()], { messages: [saidText('')] }),
  row('6.1.2', 'three empty fragments', fragments('', '', ''), { messages: [saidText('')] }),
  row('6.1.3', 'three fragments, only the middle one with a payload', fragments('', 'middle', ''), {
    messages: [saidText('middle')],
  }),
  row('6.2.1', 'text beyond ASCII', [text(UTF8)], { messages: [saidText(UTF8)] }),
  row(
    '6.2.2',
    'text beyond ASCII in fragments that end with a character',
    fragments(UTF8.subarray(0, 8), UTF8.subarray(8)),
    { messages: [saidText(UTF8)] },
  ),
  row('6.2.3', 'text beyond ASCII, an octet in a fragment', fragments(...octetsOf(UTF8)), {
    messages: [saidText(UTF8)],
  }),
  row('6.2.4', 'Greek text, an octet in a fragment', fragments(...octetsOf(KOSME)), {
    messages: [saidText(KOSME)],
  }),
]

const SURROGATE = Buffer.concat([KOSME, hex('eda080'), Buffer.from('edited')])

/** Valid, a character above the last one, valid; split at and within that character. */
const BEYOND: readonly (readonly Buffer[])[] = [
  [KOSME, hex('f4908080'), Buffer.from('edited')],
  [Buffer.concat([KOSME, hex('f4')]), hex('90'), hex('8080656469746564')],
]

function failing(first: number, chop: Chop): Row[] {
  return BEYOND.map((parts, i) =>
    row(
      `6.4.${first + i}`,
      `an invalid fragment between valid ones (${chop})`,
      fragments(...parts),
      {
        chop,
        close: 1007,
      },
    ),
  )
}

const INVALID: readonly Row[] = [
  row('6.3.1', 'a surrogate in the middle', [text(SURROGATE)], { close: 1007 }),
  row(
    '6.3.2',
    'a surrogate in the middle, an octet in a fragment',
    fragments(...octetsOf(SURROGATE)),
    {
      close: 1007,
    },
  ),
  ...failing(1, 'frames'),
  ...failing(3, 'octets'),
]

type Kind = 'valid' | 'invalid'

function sequences(
  group: string,
  about: string,
  kind: Kind,
  all: readonly string[],
  from = 1,
): Row[] {
  return all.map((digits, i) => {
    const bytes = hex(digits)
    const want = kind === 'valid' ? { messages: [saidText(bytes)] } : { close: 1007 }
    return row(`${group}.${from + i}`, `${about}: ${digits.slice(0, 24)}`, [text(bytes)], want)
  })
}

/** Every beginning of the Greek word; those that end within a character are not valid. */
const BEGINNINGS: readonly Row[] = Array.from({ length: KOSME.length }, (_, i) => {
  const bytes = KOSME.subarray(0, i + 1)
  const isWhole = [2, 5, 7, 9, 11].includes(i + 1)
  return sequences(
    '6.6',
    'beginning of a word',
    isWhole ? 'valid' : 'invalid',
    [bytes.toString('hex')],
    i + 1,
  )
}).flat()

const twoDigits = (value: number): string => value.toString(16).padStart(2, '0')
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)
const lonely = (from: number, to: number): string =>
  range(from, to)
    .map((byte) => `${twoDigits(byte)}20`)
    .join('')

const MISSING = [
  'c0',
  'e080',
  'f08080',
  'f8808080',
  'fc80808080',
  'df',
  'efbf',
  'f7bfbf',
  'fbbfbfbf',
  'fdbfbfbfbf',
]

/** The last two characters of each plane. */
const NONCHARACTERS = range(0, 16).flatMap((plane) =>
  [0xfffe, 0xffff].map((end) =>
    Buffer.from(String.fromCodePoint(plane * 0x1_0000 + end)).toString('hex'),
  ),
)

const SPECIALS = range(0xfff9, 0xffff).map((point) =>
  Buffer.from(String.fromCodePoint(point)).toString('hex'),
)

export const UTF8_ROWS: readonly Row[] = [
  ...HANDLING,
  ...INVALID,
  ...sequences('6.5', 'characters of one to four octets', 'valid', [
    '68656c6c6f24776f726c64',
    '68656c6c6fc2a2776f726c64',
    '68656c6c6fe282ac776f726c64',
    '68656c6c6ff0a4ada2776f726c64',
    'cebae1bdb9cf83cebcceb5',
  ]),
  ...BEGINNINGS,
  ...sequences('6.7', 'first of its length', 'valid', ['00', 'c280', 'e0a080', 'f0908080']),
  ...sequences('6.8', 'first of a length that is none', 'invalid', ['f888808080', 'fc8480808080']),
  ...sequences('6.9', 'last of its length', 'valid', ['7f', 'dfbf', 'efbfbf', 'f48fbfbf']),
  ...sequences('6.10', 'last of a length that is none', 'invalid', [
    'f7bfbfbf',
    'fbbfbfbfbf',
    'fdbfbfbfbfbf',
  ]),
  ...sequences('6.11', 'boundary', 'valid', ['ed9fbf', 'ee8080', 'efbfbd', 'f48fbfbf']),
  ...sequences('6.11', 'beyond the last character', 'invalid', ['f4908080'], 5),
  ...sequences('6.12', 'continuation of nothing', 'invalid', [
    '80',
    'bf',
    '80bf',
    '80bf80',
    '80bf80bf',
    '80bf80bf80',
    '80bf80bf80bf',
    range(0x80, 0xbf).map(twoDigits).join(''),
  ]),
  ...sequences('6.13', 'beginnings without an end', 'invalid', [
    lonely(0xc0, 0xdf),
    lonely(0xe0, 0xef),
    lonely(0xf0, 0xf7),
    lonely(0xf8, 0xfb),
    lonely(0xfc, 0xfd),
  ]),
  ...sequences('6.14', 'last octet is missing', 'invalid', MISSING),
  ...sequences('6.15', 'all of these together', 'invalid', [MISSING.join('')]),
  ...sequences('6.16', 'impossible octets', 'invalid', ['fe', 'ff', 'fefeffff']),
  ...sequences('6.17', 'a slash that is too long', 'invalid', [
    'c0af',
    'e080af',
    'f08080af',
    'f8808080af',
    'fc80808080af',
  ]),
  ...sequences('6.18', 'last of the sequences that are too long', 'invalid', [
    'c1bf',
    'e09fbf',
    'f08fbfbf',
    'f887bfbfbf',
    'fc83bfbfbfbf',
  ]),
  ...sequences('6.19', 'a zero that is too long', 'invalid', [
    'c080',
    'e08080',
    'f0808080',
    'f880808080',
    'fc8080808080',
  ]),
  ...sequences('6.20', 'a surrogate', 'invalid', [
    'eda080',
    'edadbf',
    'edae80',
    'edafbf',
    'edb080',
    'edbe80',
    'edbfbf',
  ]),
  ...sequences('6.21', 'a pair of surrogates', 'invalid', [
    'eda080edb080',
    'eda080edbfbf',
    'edadbfedb080',
    'edadbfedbfbf',
    'edae80edb080',
    'edae80edbfbf',
    'edafbfedb080',
    'edafbfedbfbf',
  ]),
  ...sequences('6.22', 'no character, but valid', 'valid', NONCHARACTERS),
  ...sequences('6.23', 'special', 'valid', SPECIALS),
]
