/**
 * A row of the table: frames that one end sends, and all that may come of it.
 *
 * The rows are those of Autobahn, by its numbers. It tests an end that echoes; ours do not. So the rule is: where Autobahn
 * expects an echo, the message comes out on the other side, once, with the same bytes and as the same kind. At the hub that is
 * a second client of the plain wire, at the client its `frames()`. Where Autobahn lets an end choose (what stood before a
 * mistake, when a mistake is seen), the row says what ours does.
 */
import { OPCODE } from '../raw/frame.ts'
import type { SentFrame } from './frames.ts'

/** A message that comes out on the other side. */
export interface Message {
  readonly kind: 'text' | 'binary'
  readonly bytes: Buffer
}

/** What comes of a row. */
export interface Outcome {
  readonly messages: readonly Message[]
  /** The payloads of the pongs. */
  readonly pongs: readonly Buffer[]
  /** The code of the close frame; 1005 for one without a code; `undefined`: the link stays. */
  readonly close: number | undefined
}

/** How the bytes are written: all at once, a frame at a time, an octet at a time, or so many. */
export type Chop = 'once' | 'frames' | 'octets' | number

/** One row. */
export interface Row {
  /** Autobahn's number; 8 is ours. */
  readonly id: string
  readonly about: string
  readonly frames: readonly SentFrame[]
  readonly chop: Chop
  readonly want: Outcome
}

/** What a row is made from. */
export interface RowParts {
  readonly chop?: Chop
  readonly messages?: readonly Message[]
  readonly pongs?: readonly (string | Buffer)[]
  readonly close?: number
}

/** Without parts: nothing comes of it, and the link stays. */
export function row(
  id: string,
  about: string,
  frames: readonly SentFrame[],
  { chop = 'once', messages = [], pongs = [], close }: RowParts = {},
): Row {
  const want = { messages, pongs: pongs.map((pong) => Buffer.from(pong)), close }
  return { id, about, frames, chop, want }
}

type Payload = string | Buffer

/** A message of kind text, as it comes out. */
export const saidText = (payload: Payload): Message => ({
  kind: 'text',
  bytes: Buffer.from(payload),
})

/** A message of kind binary, as it comes out. */
export const saidBinary = (payload: Payload): Message => ({
  kind: 'binary',
  bytes: Buffer.from(payload),
})

const frameOf =
  (opcode: number) =>
  (payload: Payload = '', more: Partial<SentFrame> = {}): SentFrame => ({
    opcode,
    payload: Buffer.from(payload),
    ...more,
  })

export const text: FrameOf = frameOf(OPCODE.text)
export const binary: FrameOf = frameOf(OPCODE.binary)
export const continuation: FrameOf = frameOf(OPCODE.continuation)
export const ping: FrameOf = frameOf(OPCODE.ping)
export const pong: FrameOf = frameOf(OPCODE.pong)
export const closing: FrameOf = frameOf(OPCODE.close)

type FrameOf = (payload?: Payload, more?: Partial<SentFrame>) => SentFrame

/** More of the message follows. */
export const OPEN: Partial<SentFrame> = Object.freeze({ fin: false })

/** A frame with any opcode. */
export function odd(opcode: number, payload: Payload = ''): SentFrame {
  return frameOf(opcode)(payload)
}

/** A message of text in these fragments. */
export function fragments(...parts: readonly Payload[]): SentFrame[] {
  return parts.map((part, i) =>
    (i === 0 ? text : continuation)(part, { fin: i === parts.length - 1 }),
  )
}

/** The payload of a close frame. */
export function closeWith(code: number, reason: Payload = ''): SentFrame {
  const head = Buffer.alloc(2)
  head.writeUInt16BE(code)
  return closing(Buffer.concat([head, Buffer.from(reason)]))
}

/** The bytes that hexadecimal text means. */
export function hex(digits: string): Buffer {
  return Buffer.from(digits, 'hex')
}
