/** The log: every accepted event as the bytes that subscribers get, bounded by count, bytes and age. */

import { Segment, lineBytes } from './segment.ts'

/** Bytes of a segment, unless one event needs more. */
const SEGMENT_BYTES = 1_048_576
/** The age of events is known to this share of the largest age. */
const AGE_STEPS = 64

/** How much the log keeps. */
export interface LogLimits {
  /** Events. */
  readonly maxEvents: number
  /** Bytes of their lines. Memory may hold one segment of 1 MiB more. */
  readonly maxBytes: number
  /** Milliseconds; `Infinity`: for ever. */
  readonly maxAgeMs: number
  /** Bytes of a segment. @default 1_048_576 */
  readonly segmentBytes?: number
}

/** Events from `from` on, up to the next stamp, were appended at this moment or little later. */
interface Stamp {
  readonly from: number
  readonly at: number
}

/** Offsets begin at 1 and have no holes. Nothing leaves by itself: the owner evicts, because it knows who still needs what. */
export class EventLog {
  readonly #limits: LogLimits
  readonly #marks: EvictionMarks
  readonly #segments: Segment[] = []
  readonly #stamps: Stamp[] = []
  #floor = 1
  #head = 0
  #bytes = 0
  #newestAt = 0
  /** Told of each event when it is there. */
  onAppended: (type: string, offset: number) => void = () => {}

  constructor(limits: LogLimits, marks: EvictionMarks = new EvictionMarks()) {
    this.#limits = limits
    this.#marks = marks
  }

  /** The offset of the newest event ever appended; 0 before the first. */
  get head(): number {
    return this.#head
  }

  /** The offset of the oldest event that is still there; `head + 1` when there is none. */
  get floor(): number {
    return this.#floor
  }

  get events(): number {
    return this.#head - this.#floor + 1
  }

  /** Bytes of the lines that are still there. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether an event of which a message holds so many bytes would break a limit. An empty log takes any. */
  isFullFor(bytes: number): boolean {
    if (this.events === 0) return false
    const size = lineBytes(this.#head + 1, bytes)
    return this.events >= this.#limits.maxEvents || this.#bytes + size > this.#limits.maxBytes
  }

  /**
   * Appends an event: its offset, and what a message holds of it from `from` to before `to`.
   *
   * @param resent - whether it is marked as one that may have come before
   * @returns its offset
   */
  append(
    resent: boolean,
    source: Buffer,
    from: number,
    to: number,
    type: string,
    now: number,
  ): number {
    const offset = this.#head + 1
    const size = lineBytes(offset, to - from)
    this.#segmentFor(size).append(resent, source, from, to, type)
    this.#head = offset
    this.#bytes += size
    this.#stamp(offset, now)
    this.onAppended(type, offset)
    return offset
  }

  typeOf(offset: number): string {
    return this.segmentOf(offset)?.typeOf(offset) ?? ''
  }

  /** Where an event is; `undefined` when it is not there any more, or not yet. */
  segmentOf(offset: number): Segment | undefined {
    if (offset < this.#floor || offset > this.#head) return undefined
    let low = 0
    let high = this.#segments.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#segments[middle]?.base ?? Infinity) <= offset) low = middle
      else high = middle - 1
    }
    return this.#segments[low]
  }

  /** Lets the oldest event go. */
  evictOldest(): void {
    const [segment] = this.#segments
    if (segment === undefined || this.events === 0) return
    const offset = this.#floor
    this.#marks.add(segment.typeOf(offset), offset)
    this.#bytes -= segment.sizeOf(offset)
    this.#floor = offset + 1
    if (segment.last === offset && this.#segments.length > 1) this.#segments.shift()
  }

  /** Whether the oldest event is older than events may become. */
  isOldestTooOld(now: number): boolean {
    if (this.events === 0) return false
    while ((this.#stamps[1]?.from ?? Infinity) <= this.#floor) this.#stamps.shift()
    // Later events have a stamp of their own.
    const appendedBy = (this.#stamps[0]?.at ?? now) + this.#limits.maxAgeMs / AGE_STEPS
    return now - Math.min(appendedBy, this.#newestAt) >= this.#limits.maxAgeMs
  }

  /** The highest offset above `cursor` that was wanted and is gone; 0 when nothing was lost. */
  lostBeyond(cursor: number, wants: (type: string) => boolean): number {
    return cursor + 1 >= this.#floor ? 0 : this.#marks.highest(wants, cursor)
  }

  #segmentFor(size: number): Segment {
    const newest = this.#segments.at(-1)
    if (newest?.hasRoom(size) === true) return newest
    const capacity = Math.max(this.#limits.segmentBytes ?? SEGMENT_BYTES, size)
    const segment = new Segment(this.#head + 1, capacity)
    // The only segment stays when its last event leaves, as long as there is room in it.
    if (newest !== undefined && newest.last < this.#floor) this.#segments.pop()
    this.#segments.push(segment)
    return segment
  }

  #stamp(offset: number, now: number): void {
    this.#newestAt = now
    if (this.#limits.maxAgeMs === Infinity) return
    const newest = this.#stamps.at(-1)
    if (newest === undefined || now - newest.at >= this.#limits.maxAgeMs / AGE_STEPS) {
      this.#stamps.push({ from: offset, at: now })
    }
  }
}

/** Types that are told apart; all others share one mark. The types come from strangers. */
const MAX_TYPES = 10_000

/** The highest evicted offset of each type. */
export class EvictionMarks {
  readonly #maxTypes: number
  readonly #byType = new Map<string, number>()
  /** The highest evicted offset of the types that have no mark of their own. */
  #others = 0

  constructor(maxTypes: number = MAX_TYPES) {
    this.#maxTypes = maxTypes
  }

  /** An event left the log. Offsets only grow. */
  add(type: string, offset: number): void {
    if (this.#byType.has(type) || this.#byType.size < this.#maxTypes) {
      this.#byType.set(type, offset)
    } else this.#others = offset
  }

  /**
   * The highest evicted offset above `cursor` of a type that is wanted; 0 when nothing of it was evicted there. Exact
   * unless more types than marks were evicted; then it may be too high, never too low.
   */
  highest(wants: (type: string) => boolean, cursor: number): number {
    let highest = this.#others > cursor ? this.#others : 0
    for (const [type, offset] of this.#byType) {
      if (offset > highest && offset > cursor && wants(type)) highest = offset
    }
    return highest
  }
}
