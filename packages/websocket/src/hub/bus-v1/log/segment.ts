/** A segment of the log: the lines of neighbouring events in one block of memory that is written once, and the batches cut from it. */

const LETTER_E = 101
const LETTER_R = 114
const LETTER_V = 118
const SPACE = 32
const LINE_FEED = 10

/** Bytes that a line has besides its offset and what comes from the message: the verb, two spaces, a line feed. */
const FRAMING_BYTES = 5

/** An event's line in bytes is seldom shorter; with it the first index of a segment is about the right size. */
const TYPICAL_LINE_BYTES = 256

/** Events are looked up by type where at most one in so many matches. */
const SPARSE = 4

/** What may go into one batch. */
export interface BatchLimits {
  /** Events. */
  readonly events: number
  /** Bytes; one event may be larger. */
  readonly bytes: number
  /** Bytes that no message may exceed, even if it contains one event. */
  readonly messageBytes: number
}

/** Which events of the log a reader gets. */
export interface EventFilter {
  matches(type: string, offset: number): boolean
  /** The matching events behind `cursor` up to `end`, in order; `undefined` where `matches` has to be called for each. */
  lookUp(segment: Segment, cursor: number, end: number): readonly number[] | undefined
}

/** The events of a batch. */
export interface BatchEvents {
  readonly count: number
  /** The offset of the first; 0 when there is none. */
  readonly first: number
  /** The offset of the last; 0 when there is none. */
  readonly last: number
  /** The length of their message. */
  readonly bytes: number
  /** The offsets where some between `first` and `last` are not included; else `undefined`. */
  readonly offsets: readonly number[] | undefined
}

/** Offsets, both included. */
interface OffsetRange {
  readonly from: number
  readonly to: number
}

/** The lines of matching events of one segment, as one message. Readers share it, so nothing in it changes. */
export interface Batch {
  /** The log was searched up to this offset. */
  readonly upTo: number
  /** The message; `undefined` when nothing up to there matches. */
  readonly data: Buffer | undefined
  /** Apart from the data, because it is kept until the reader acknowledges. */
  readonly events: BatchEvents
  /** The matching events between these, of which there is at least one, are each too large for a message. */
  readonly tooLarge: OffsetRange | undefined
}

const NO_EVENTS: BatchEvents = { count: 0, first: 0, last: 0, bytes: 0, offsets: undefined }
const LINE_SEPARATOR = Buffer.from('\n')

/** Nothing up to this offset matches, or only what is too large. */
export function emptyBatch(upTo: number, tooLarge?: OffsetRange): Batch {
  return { upTo, data: undefined, events: NO_EVENTS, tooLarge }
}

/**
 * Bytes are only ever appended. A message that waits in a slow socket stays what it was, and keeps the segment alive
 * when the log has long dropped it.
 */
export class Segment {
  /** The offset of its first event. */
  readonly base: number
  readonly #bytes: Buffer
  /** Where each line ends, its line feed included. */
  #ends: Uint32Array
  /** The index of each event's type in {@link #names}: numbers, which the garbage collector need not look through. */
  #types: Uint32Array
  readonly #names: string[] = []
  /** The number of the newest event of each type, counted from 1. */
  readonly #newest: number[] = []
  /** The number of the event of the same type before each event; 0: it is the first. */
  #previous: Uint32Array
  readonly #indexes = new Map<string, number>()
  #events = 0
  #used = 0

  constructor(base: number, capacity: number) {
    this.base = base
    // Not from Node's pool: a slice would keep unrelated bytes alive.
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

  /**
   * Writes the line of the next event: `ev` or `rv`, its offset, and what a message has of it from `from` to before
   * `to`.
   *
   * @param size - the bytes of the line, as {@link lineBytes} counts them
   * @returns `false`: there is no room for it, and nothing was written
   */
  append(
    resent: boolean,
    source: Buffer,
    from: number,
    to: number,
    type: string,
    size: number,
  ): boolean {
    const bytes = this.#bytes
    let at = this.#used
    if (at + size > bytes.length) return false
    // Digit by digit: a string for each offset would cost more than everything else here.
    bytes[at++] = resent ? LETTER_R : LETTER_E
    bytes[at++] = LETTER_V
    bytes[at++] = SPACE
    const digits = size - FRAMING_BYTES - (to - from)
    for (let number = this.base + this.#events, i = at + digits - 1; i >= at; i--) {
      bytes[i] = 48 + (number % 10)
      number = Math.floor(number / 10)
    }
    at += digits
    bytes[at++] = SPACE
    at += source.copy(bytes, at, from, to)
    bytes[at++] = LINE_FEED
    if (this.#events === this.#ends.length) this.#grow()
    this.#ends[this.#events] = at
    let index = this.#indexes.get(type)
    if (index === undefined) {
      index = this.#names.push(type) - 1
      this.#indexes.set(type, index)
    }
    this.#types[this.#events] = index
    this.#previous[this.#events++] = this.#newest[index] ?? 0
    this.#newest[index] = this.#events
    this.#used = at
    return true
  }

  typeOf(offset: number): string {
    return this.#names[this.#types[offset - this.base] ?? 0] ?? ''
  }

  /** Bytes of one line, its line feed included. */
  sizeOf(offset: number): number {
    const event = offset - this.base
    return (this.#ends[event] ?? 0) - (this.#ends[event - 1] ?? 0)
  }

  /**
   * The events of these types behind `cursor` up to its end, in order. It costs as much as it finds.
   *
   * @returns `undefined` where they are so many that comparing every event costs less
   */
  offsetsOf(types: readonly string[], cursor: number): readonly number[] | undefined {
    const offsets: number[] = []
    const seen = Math.max(cursor + 1 - this.base, 0)
    const limit = (this.#events - seen) / SPARSE
    for (const type of types) {
      const index = this.#indexes.get(type)
      let event = index === undefined ? 0 : (this.#newest[index] ?? 0)
      while (event > seen) {
        if (offsets.length >= limit) return undefined
        offsets.push(this.base + event - 1)
        event = this.#previous[event - 1] ?? 0
      }
    }
    return types.length === 1 ? offsets.toReversed() : offsets.toSorted((a, b) => a - b)
  }

  /** The batch behind `cursor`: it ends with the segment, where it is full, or before an event that is too large. */
  batch(cursor: number, filter: EventFilter, limits: BatchLimits): Batch {
    const end = this.last
    const offsets = filter.lookUp(this, cursor, end)
    const ends = this.#ends
    /** Pairs of first and last offset of neighbouring events. */
    const runs: number[] = []
    let count = 0
    let bytes = 0
    let tooLarge: OffsetRange | undefined
    const candidates = offsets?.length ?? end - cursor
    for (let i = 0; i < candidates; i++) {
      const offset = offsets?.[i] ?? cursor + 1 + i
      if (offsets === undefined && !filter.matches(this.typeOf(offset), offset)) continue
      const event = offset - this.base
      const size = (ends[event] ?? 0) - (ends[event - 1] ?? 0)
      // The last line of a message has no line feed.
      if (size - 1 > limits.messageBytes) {
        if (count > 0) return this.#batchOf(runs, count, offset - 1)
        tooLarge = { from: tooLarge?.from ?? offset, to: offset }
        continue
      }
      if (tooLarge !== undefined) return emptyBatch(offset - 1, tooLarge)
      const isFull =
        count === limits.events ||
        bytes + size > limits.bytes ||
        bytes + size - 1 > limits.messageBytes
      if (count > 0 && isFull) return this.#batchOf(runs, count, offset - 1)
      count++
      bytes += size
      if (runs.at(-1) === offset - 1) runs[runs.length - 1] = offset
      else runs.push(offset, offset)
    }
    return count === 0 ? emptyBatch(end, tooLarge) : this.#batchOf(runs, count, end)
  }

  /** The lines from one offset to another, both included, without the last line feed. Not a copy. */
  slice(first: number, last: number): Buffer {
    const start = this.#ends[first - this.base - 1] ?? 0
    const end = this.#ends[last - this.base] ?? 0
    return this.#bytes.subarray(start, end - 1)
  }

  #batchOf(runs: readonly number[], count: number, upTo: number): Batch {
    const first = runs[0] ?? 0
    const last = runs.at(-1) ?? 0
    if (runs.length === 2) {
      const data = this.slice(first, last)
      const events = { count, first, last, bytes: data.length, offsets: undefined }
      return { upTo, data, events, tooLarge: undefined }
    }
    const parts: Buffer[] = []
    const offsets: number[] = []
    for (let i = 0; i < runs.length; i += 2) {
      const from = runs[i] ?? 0
      const to = runs[i + 1] ?? 0
      if (i > 0) parts.push(LINE_SEPARATOR)
      parts.push(this.slice(from, to))
      for (let offset = from; offset <= to; offset++) offsets.push(offset)
    }
    const data = Buffer.concat(parts)
    const events = { count, first, last, bytes: data.length, offsets }
    return { upTo, data, events, tooLarge: undefined }
  }

  #grow(): void {
    this.#ends = twice(this.#ends)
    this.#types = twice(this.#types)
    this.#previous = twice(this.#previous)
  }
}

/** Bytes of an event's line when a message has `bytes` of it. */
export function lineBytes(offset: number, bytes: number): number {
  let digits = 1
  for (let limit = 10; offset >= limit; limit *= 10) digits++
  return FRAMING_BYTES + digits + bytes
}

/** How many of the events have an offset of at most `offset`. */
export function countUpTo(events: BatchEvents, offset: number): number {
  if (offset >= events.last) return events.count
  if (offset < events.first) return 0
  const { offsets } = events
  if (offsets === undefined) return offset - events.first + 1
  let low = 0
  let high = offsets.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((offsets[middle] ?? Infinity) <= offset) low = middle + 1
    else high = middle
  }
  return low
}

/** The first of the events above `offset`. */
export function firstAbove(events: BatchEvents, offset: number): number {
  if (offset < events.first) return events.first
  return events.offsets?.[countUpTo(events, offset)] ?? offset + 1
}

function twice(numbers: Uint32Array): Uint32Array {
  const larger = new Uint32Array(numbers.length * 2)
  larger.set(numbers)
  return larger
}
