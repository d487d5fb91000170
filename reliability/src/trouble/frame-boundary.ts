/** A reader of WebSocket frames that only wants to know where they end. */

type Step = 'handshake' | 'header' | 'payload'

const BLANK_LINE = Buffer.from('\r\n\r\n')

/** Fed with the bytes of one direction of a link. */
export class FrameBoundary {
  #step: Step = 'handshake'
  /** Bytes of the blank line that ends the handshake. */
  #blank = 0
  #header: number[] = []
  #left = 0

  /** The handshake is over. */
  get isOpen(): boolean {
    return this.#step !== 'handshake'
  }

  /** The last byte was neither the last one of a frame nor one of the handshake. */
  get isMidFrame(): boolean {
    return this.#step === 'payload' || (this.#step === 'header' && this.#header.length > 0)
  }

  take(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#step === 'payload') {
        const part = Math.min(this.#left, bytes.length - at)
        this.#left -= part
        at += part
        if (this.#left === 0) this.#step = 'header'
      } else {
        this.#byte(bytes[at] ?? 0)
        at++
      }
    }
  }

  #byte(byte: number): void {
    if (this.#step === 'handshake') {
      // A prefix of the blank line ends in itself only at its first and third byte, which are the same.
      if (byte === BLANK_LINE[this.#blank]) this.#blank++
      else this.#blank = byte === BLANK_LINE[0] ? 1 : 0
      if (this.#blank === BLANK_LINE.length) this.#step = 'header'
      return
    }
    this.#header.push(byte)
    const length = lengthOf(this.#header)
    if (length === undefined) return
    this.#header = []
    this.#left = length
    if (length > 0) this.#step = 'payload'
  }
}

/** The length of the payload, if the header is complete. */
function lengthOf(header: readonly number[]): number | undefined {
  const second = header[1]
  if (second === undefined) return undefined
  const short = second & 0x7f
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0
  const masked = second >= 0x80 ? 4 : 0
  if (header.length < 2 + extended + masked) return undefined
  if (extended === 0) return short
  return header.slice(2, 2 + extended).reduce((sum, byte) => sum * 256 + byte, 0)
}
