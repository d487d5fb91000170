/** Groups 3 and 4: reserved bits and opcodes. A message before the mistake counts, a ping behind it does not. */
import { binary, closing, hex, odd, ping, row, saidText, text, type Chop, type Row } from './row.ts'
import type { SentFrame } from './frames.ts'

const HELLO = 'Hello, world!'
const CHOPS: readonly Chop[] = ['once', 'frames', 'octets']

/** A good message, the mistake, and a ping. */
function between(id: string, about: string, wrong: SentFrame, chop: Chop): Row {
  const frames = [text(HELLO), wrong, ping()]
  return row(id, `text, then ${about}, then a ping`, frames, {
    chop,
    messages: [saidText(HELLO)],
    close: 1002,
  })
}

const BITS: readonly Row[] = [
  row('3.1', 'text with reserved bits 1', [text(HELLO, { rsv: 1 })], { close: 1002 }),
  ...CHOPS.map((chop, i) => {
    const reserved = i + 2
    const about = `reserved bits ${reserved}`
    return between(`3.${reserved}`, about, text(HELLO, { rsv: reserved }), chop)
  }),
  row('3.5', 'binary with reserved bits 5', [binary(hex('00fffefdfcfb00ff'), { rsv: 5 })], {
    close: 1002,
  }),
  row('3.6', 'a ping with reserved bits 6', [ping(HELLO, { rsv: 6 })], { close: 1002 }),
  row('3.7', 'a close with reserved bits 7', [closing('', { rsv: 7 })], { close: 1002 }),
]

function opcodes(group: string, first: number): Row[] {
  return [
    row(`${group}.1`, `opcode ${first}`, [odd(first)], { close: 1002 }),
    row(`${group}.2`, `opcode ${first + 1} with a payload`, [odd(first + 1, 'reserved')], {
      close: 1002,
    }),
    ...CHOPS.map((chop, i) => {
      const opcode = first + 2 + i
      const wrong = odd(opcode, i === 0 ? '' : 'reserved opcode')
      return between(`${group}.${i + 3}`, `opcode ${opcode}`, wrong, chop)
    }),
  ]
}

export const RESERVED_ROWS: readonly Row[] = [...BITS, ...opcodes('4.1', 3), ...opcodes('4.2', 11)]
