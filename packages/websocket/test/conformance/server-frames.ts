/** Cuts what a WebSocket server sends into whole frames; server frames are not masked. */

/** One frame, with its head. */
export interface ServerFrame {
  /** 1: text, 2: binary, 8: close, 9: ping, 10: pong. */
  readonly opcode: number
  readonly payload: Buffer
  /** As it was received. */
  readonly bytes: Buffer
}

const END_OF_HEADERS = '\r\n\r\n'

/** Keeps what is not whole yet. Whatever comes before the upgrade, and instead of one, passes as it is. */
export class ServerFrameCutter {
  #waiting: Buffer = Buffer.alloc(0)
  #state: 'headers' | 'frames' | 'opaque' = 'headers'

  /** What is whole now: bytes that are no frame, and frames, in order. */
  push(chunk: Buffer): (Buffer | ServerFrame)[] {
    this.#waiting = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk])
    const whole: (Buffer | ServerFrame)[] = []
    if (this.#state === 'headers') this.#headers(whole)
    if (this.#state === 'opaque') whole.push(this.#take(this.#waiting.length))
    while (this.#state === 'frames') {
      const frame = this.#frame()
      if (frame === undefined) break
      whole.push(frame)
    }
    return whole
  }

  #headers(whole: (Buffer | ServerFrame)[]): void {
    const end = this.#waiting.indexOf(END_OF_HEADERS)
    if (end === -1) return
    const head = this.#take(end + END_OF_HEADERS.length)
    this.#state = head.toString('latin1', 0, 16).startsWith('HTTP/1.1 101 ') ? 'frames' : 'opaque'
    whole.push(head)
  }

  #frame(): ServerFrame | undefined {
    const bytes = this.#waiting
    if (bytes.length < 2) return undefined
    const short = (bytes[1] ?? 0) & 0x7f
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0
    const head = 2 + lengthBytes
    if (bytes.length < head) return undefined
    const length =
      lengthBytes === 0
        ? short
        : bytes.readUIntBE(head - Math.min(lengthBytes, 6), Math.min(lengthBytes, 6))
    if (bytes.length < head + length) return undefined
    const whole = this.#take(head + length)
    return { opcode: (whole[0] ?? 0) & 0x0f, payload: whole.subarray(head), bytes: whole }
  }

  #take(length: number): Buffer {
    const taken = this.#waiting.subarray(0, length)
    this.#waiting = this.#waiting.subarray(length)
    return taken
  }
}

/** A whole frame as a server sends it. */
export function serverFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload
  const first = 0x80 | opcode
  if (length < 126) return Buffer.concat([Buffer.from([first, length]), payload])
  const head = Buffer.alloc(length < 65_536 ? 4 : 10)
  head[0] = first
  head[1] = length < 65_536 ? 126 : 127
  if (length < 65_536) head.writeUInt16BE(length, 2)
  else head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, payload])
}
