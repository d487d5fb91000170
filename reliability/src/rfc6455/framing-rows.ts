/** Group 1: lengths of frames, for text and for binary. */
import { binary, row, saidBinary, saidText, text, type Chop, type Row } from './row.ts'

const LENGTHS: readonly (readonly [length: number, chop: Chop])[] = [
  [0, 'once'],
  [125, 'once'],
  [126, 'once'],
  [127, 'once'],
  [128, 'once'],
  [65_535, 'once'],
  [65_536, 'once'],
  [65_536, 997],
]

function rows(group: string, kind: 'text' | 'binary'): Row[] {
  return LENGTHS.map(([length, chop], i) => {
    const payload = Buffer.alloc(length, kind === 'text' ? '*' : 0xfe)
    const [frame, message] =
      kind === 'text' ? [text(payload), saidText(payload)] : [binary(payload), saidBinary(payload)]
    const how = typeof chop === 'number' ? `, ${chop} octets at a time` : ''
    return row(`${group}.${i + 1}`, `${kind} of ${length} bytes${how}`, [frame], {
      chop,
      messages: [message],
    })
  })
}

export const FRAMING_ROWS: readonly Row[] = [...rows('1.1', 'text'), ...rows('1.2', 'binary')]
