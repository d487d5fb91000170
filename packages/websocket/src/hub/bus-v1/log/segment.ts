/** A segment: the lines of neighbouring events in one stretch of memory that is written once. */

const LETTER_E = 101
const LETTER_R = 114
const LETTER_V = 118
const SPACE = 32
const LINE_FEED = 10

/** Bytes that a line has besides its offset and what comes from the message: the verb, two spaces, a line feed. */
const FRAMING_BYTES = 5

/** An event's line in bytes is seldom shorter; with it the first index of a segment is about the right size. */
const TYPICAL_LINE_BYTES = 256

/**
 * Bytes are only ever appended. A slice that waits in a slow socket stays what it was, and keeps the segment alive
 * when the log has long dropped it.
 */
export class Segment {
  /** The offset of its first event. */
  readonly base: number
  readonly #bytes: Buffer
  /** Where each line ends, its line feed included. */
  #ends: Uint32Array
  /** The place of each event's type among {@link #names}: numbers, which a collection need not look through. */
  #types: Uint32Array
  readonly #names: string[] = []
  /** The number of the newest event of each type, counted from 1. */
  readonly #newest: number[] = []
  /** The number of the event of the same type before each event; 0: it is the first. */
  #previous: Uint32Array
  readonly #places = new Map<string, number>()
  #events = 0
  #used = 0

  constructor(base: number, capacity: number) {
    this.base = base
    // Not from Node's pool: a slice would keep strangers' bytes alive.
    this.#bytes = Buffer.allocUnsafeSlow(capacity)
    const events = Math.max(16, Math.ceil(capacity / TYPICAL_LINE_BYTES))
    this.#ends = new Uint32Array(events)
    this.#types = new Uint32Array(events)
    this.#previous = new Uint32Array(events)
  }

  /** The offset of its last event; `base - 1` while it is empty. */
  get last(): number {
    return this.base + this.#events - 1
  }

  /** Whether a line of so many bytes fits. */
  hasRoom(bytes: number): boolean {
    return this.#used + bytes <= this.#bytes.length
  }

  /**
   * Writes the line of the next event: `ev` or `rv`, its offset, and what a message holds of it from `from` to before
   * `to`. The caller has asked for room.
   */
  append(resent: boolean, source: Buffer, from: number, to: number, type: string): void {
    const bytes = this.#bytes
    let at = this.#used
    // Digit by digit: a string for each head would cost more than all the rest.
    bytes[at++] = resent ? LETTER_R : LETTER_E
    bytes[at++] = LETTER_V
    bytes[at++] = SPACE
    const offset = this.base + this.#events
    const digits = digitsOf(offset)
    for (let rest = offset, i = at + digits - 1; i >= at; i--) {
      bytes[i] = 48 + (rest % 10)
      rest = Math.floor(rest / 10)
    }
    at += digits
    bytes[at++] = SPACE
    at += source.copy(bytes, at, from, to)
    bytes[at++] = LINE_FEED
    if (this.#events === this.#ends.length) this.#grow()
    this.#ends[this.#events] = at
    const place = this.#placeOf(type)
    this.#types[this.#events] = place
    this.#previous[this.#events++] = this.#newest[place] ?? 0
    this.#newest[place] = this.#events
    this.#used = at
  }

  typeOf(offset: number): string {
    return this.#names[this.#types[offset - this.base] ?? 0] ?? ''
  }

  /**
   * Adds the offsets behind `cursor` with this type to `found`, the newest first. It costs as much as it finds.
   *
   * @returns `false` when it has left off, because there are more than `limit`
   */
  collect(type: string, cursor: number, found: number[], limit: number): boolean {
    const place = this.#places.get(type)
    if (place === undefined) return true
    const known = Math.max(cursor + 1 - this.base, 0)
    let event = this.#newest[place] ?? 0
    while (event > known) {
      if (found.length >= limit) return false
      found.push(this.base + event - 1)
      event = this.#previous[event - 1] ?? 0
    }
    return true
  }

  /** Bytes of one line, its line feed included. */
  sizeOf(offset: number): number {
    return this.endOf(offset) - this.endOf(offset - 1)
  }

  /** Where the line ends; 0 before the first. */
  endOf(offset: number): number {
    return this.#ends[offset - this.base] ?? 0
  }

  /** The lines from one offset to another, both included, without the last line feed. Not a copy. */
  slice(first: number, last: number): Buffer {
    return this.#bytes.subarray(this.endOf(first - 1), this.endOf(last) - 1)
  }

  #placeOf(type: string): number {
    let place = this.#places.get(type)
    if (place === undefined) {
      place = this.#names.push(type) - 1
      this.#places.set(type, place)
    }
    return place
  }

  #grow(): void {
    this.#ends = twice(this.#ends)
    this.#types = twice(this.#types)
    this.#previous = twice(this.#previous)
  }
}

/** Bytes of an event's line when a message holds `bytes` of it. */
export function lineBytes(offset: number, bytes: number): number {
  return FRAMING_BYTES + digitsOf(offset) + bytes
}

function twice(numbers: Uint32Array): Uint32Array {
  const larger = new Uint32Array(numbers.length * 2)
  larger.set(numbers)
  return larger
}

function digitsOf(offset: number): number {
  let digits = 1
  for (let limit = 10; offset >= limit; limit *= 10) digits++
  return digits
}
