/** Group 8, which Autobahn has not: masks, and the limits of our ends. */
import {
  OPEN,
  binary,
  closeWith,
  continuation,
  ping,
  row,
  saidBinary,
  text,
  type Row,
} from './row.ts'

/** What hub and client take where nobody says otherwise. */
const MOST_BYTES = 1_048_576
/** Of the client; the hub takes fewer. */
const MOST_FRAGMENTS = 16_384

/** Fragments of a message that has no end. */
const endless = (count: number): Row['frames'] =>
  Array.from({ length: count }, (_, i) => (i === 0 ? text : continuation)('x', OPEN))

const LARGEST = Buffer.alloc(MOST_BYTES, 7)

export const OWN_ROWS: readonly Row[] = [
  row('8.1.1', 'text with the mask of the other side', [text('x', { isWronglyMasked: true })], {
    close: 1002,
  }),
  row('8.1.2', 'a ping with the mask of the other side', [ping('x', { isWronglyMasked: true })], {
    close: 1002,
  }),
  row('8.2.1', 'the largest message', [binary(LARGEST)], { messages: [saidBinary(LARGEST)] }),
  row('8.2.2', 'one byte more', [binary('', { length: BigInt(MOST_BYTES + 1) })], { close: 1009 }),
  row(
    '8.2.3',
    'fragments that are too large together',
    [binary(Buffer.alloc(MOST_BYTES - 10), OPEN), continuation(Buffer.alloc(11))],
    { close: 1009 },
  ),
  row('8.2.4', 'a length beyond what a number holds', [binary('', { length: 1n << 62n })], {
    close: 1009,
  }),
  row('8.3.1', 'a message in too many fragments', endless(MOST_FRAGMENTS + 1), { close: 1008 }),
  ...[1012, 1013, 1014].map((code, i) =>
    row(
      `8.4.${i + 1}`,
      `a close with code ${code}, which was registered later`,
      [closeWith(code)],
      {
        close: code,
      },
    ),
  ),
]
