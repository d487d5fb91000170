/** The frames of RFC 6455 as bytes, written and read by hand, so that no library hides what is on the wire. */

/** What each kind of frame is called on the wire. */
export const OPCODE: Readonly<
  Record<'continuation' | 'text' | 'binary' | 'close' | 'ping' | 'pong', number>
> = Object.freeze({
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
})

/** The parts of a frame. What is not given is as the protocol wants it from a client. */
export interface FrameParts {
  readonly opcode?: number
  readonly payload?: string | Uint8Array
  /** @default true */
  readonly fin?: boolean
  /** The three reserved bits as a number. @default 0 */
  readonly rsv?: number
  /** @default true */
  readonly masked?: boolean
  /** @default zeros, which leave the payload as it is */
  readonly mask?: Uint8Array
  /** The length that the header claims. @default that of the payload */
  readonly length?: number | bigint
  /** Bytes that the length takes in the header: 0, 2 or 8. @default as few as possible */
  readonly lengthBytes?: 0 | 2 | 8
}

/** The bytes of a frame. */
export function frame(parts: FrameParts): Buffer {
  const { opcode = OPCODE.text, fin = true, rsv = 0, masked = true } = parts
  const payload = Buffer.from(parts.payload ?? '')
  const length = BigInt(parts.length ?? payload.length)
  const lengthBytes = parts.lengthBytes ?? (length < 126n ? 0 : length < 65_536n ? 2 : 8)
  const header = Buffer.alloc(2 + lengthBytes)
  header[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode
  const short = lengthBytes === 0 ? Number(length) : lengthBytes === 2 ? 126 : 127
  header[1] = (masked ? 0x80 : 0) | short
  if (lengthBytes === 2) header.writeUInt16BE(Number(length), 2)
  if (lengthBytes === 8) header.writeBigUInt64BE(length, 2)
  if (!masked) return Buffer.concat([header, payload])
  const mask = parts.mask ?? Buffer.alloc(4)
  for (let i = 0; i < payload.length; i++) payload[i] = (payload[i] ?? 0) ^ (mask[i & 3] ?? 0)
  return Buffer.concat([header, mask, payload])
}

/** The text frame of a client. */
export function text(payload: string): Buffer {
  return frame({ payload })
}

/** The payload of a close frame. */
export function closing(code: number, reason: string | Uint8Array = ''): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(code)
  return Buffer.concat([bytes, Buffer.from(reason)])
}

/** A frame that came, unmasked. */
export interface HeardFrame {
  readonly opcode: number
  readonly fin: boolean
  readonly payload: Buffer
}

/** The first frame of these bytes, and where the next one begins; `undefined` while it is not complete. */
export function readFrame(
  bytes: Buffer,
  from: number,
): { readonly frame: HeardFrame; readonly to: number } | undefined {
  if (bytes.length < from + 2) return undefined
  const [first = 0, second = 0] = bytes.subarray(from, from + 2)
  const short = second & 0x7f
  const head = from + (short < 126 ? 2 : short === 126 ? 4 : 10)
  const start = head + (second >= 0x80 ? 4 : 0)
  if (bytes.length < start) return undefined
  let length = short
  if (short === 126) length = bytes.readUInt16BE(from + 2)
  else if (short === 127) length = Number(bytes.readBigUInt64BE(from + 2))
  const to = start + length
  if (bytes.length < to) return undefined
  const mask = bytes.subarray(head, start)
  const raw = bytes.subarray(start, to)
  const payload = mask.length === 0 ? raw : Buffer.from(raw.map((b, i) => b ^ (mask[i & 3] ?? 0)))
  return { frame: { opcode: first & 0x0f, fin: first >= 0x80, payload }, to }
}
