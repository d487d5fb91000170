/** The text of one message: lines that are put together once, and turned into bytes once. */
import type { OutboxEntry } from '../outbox/outbox-entry.ts'

/** Bytes of a line besides type, id and body: verb, number, spaces and the line feed. */
const LINE_BYTES = 24

/** From this length on, to copy a text costs more than to write it by itself. */
const LARGE = 1_024

/** Bytes that the event takes in a message, or a few less. */
export function lineBytes({ bytes, event }: OutboxEntry): number {
  return bytes + event.type.length + event.id.length + LINE_BYTES
}

/** Grows line by line. */
export class MessageText {
  readonly #pieces: string[]
  #characters: number
  /** Of all characters outside the bodies there is one byte each. */
  #bytes: number

  /** @param start - the first line; may be empty */
  constructor(start: string) {
    this.#pieces = start === '' ? [] : [start]
    this.#characters = this.#bytes = start.length
  }

  get isEmpty(): boolean {
    return this.#bytes === 0
  }

  /** UTF-8. */
  get bytes(): number {
    return this.#bytes
  }

  /** Adds the line of an event, whose frame is its body. */
  add(verb: 'pub' | 'rep', number: number | '-', { event, frame, bytes }: OutboxEntry): void {
    const body = String(frame)
    const header = `${this.#bytes === 0 ? '' : '\n'}${verb} ${number} ${event.type} ${event.id} `
    this.#pieces.push(header, body)
    this.#characters += header.length + body.length
    this.#bytes += header.length + bytes
  }

  toBytes(): Buffer {
    const bytes = Buffer.allocUnsafe(this.#bytes)
    // Text without anything beyond ASCII is the same in Latin-1, which is a copy where UTF-8 is a conversion.
    const encoding = this.#characters === this.#bytes ? 'latin1' : 'utf8'
    let small: string[] = []
    let at = 0
    for (const piece of this.#pieces) {
      if (piece.length < LARGE) small.push(piece)
      else {
        at += bytes.write(small.join(''), at, encoding)
        at += bytes.write(piece, at, encoding)
        small = []
      }
    }
    bytes.write(small.join(''), at, encoding)
    return bytes
  }
}
