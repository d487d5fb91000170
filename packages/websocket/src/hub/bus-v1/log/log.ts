/** The log: every accepted event as the line that subscribers receive, bounded by count, bytes and age. */

import { Segment, emptyBatch, lineBytes, type Batch, type BatchLimits } from './segment.ts'
import type { EventFilter } from './segment.ts'

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
  /** Milliseconds; `Infinity`: no limit. */
  readonly maxAgeMs: number
  /** Bytes of a segment. @default 1_048_576 */
  readonly segmentBytes?: number
}

/** Events from `from` on, up to the next stamp, were appended at this moment or little later. */
interface Stamp {
  readonly from: number
  readonly at: number
}

/** Offsets begin at 1 and have no holes. The log removes nothing by itself: `LogRetention` knows what is still needed. */
export class EventLog {
  readonly #limits: LogLimits
  readonly #marks: EvictionMarks
  readonly #segments: Segment[] = []
  readonly #stamps: Stamp[] = []
  #firstOffset = 1
  #lastOffset = 0
  #bytes = 0
  #newestAt = 0
  /** Called after each event was appended. */
  onAppended: (type: string, offset: number) => void = () => {}
  /** Called while an event would exceed a limit. Evicts the oldest event, or returns `false`: nothing may leave. */
  onFull: (now: number) => boolean = () => false

  constructor(limits: LogLimits, marks: EvictionMarks = new EvictionMarks()) {
    this.#limits = limits
    this.#marks = marks
  }

  /** The offset of the oldest event that is still in the log; `lastOffset + 1` when it is empty. */
  get firstOffset(): number {
    return this.#firstOffset
  }

  /** The offset of the newest event ever appended; 0 before the first. */
  get lastOffset(): number {
    return this.#lastOffset
  }

  get events(): number {
    return this.#lastOffset - this.#firstOffset + 1
  }

  /** Bytes of the lines that are still in the log. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Appends an event: its offset, and what a message has of it from `from` to before `to`. An empty log takes an event
   * of any size.
   *
   * @param resent - whether it is marked as one that may have come before
   * @returns its offset; 0: it would exceed a limit, and nothing was appended
   */
  append(
    resent: boolean,
    source: Buffer,
    from: number,
    to: number,
    type: string,
    now: number,
  ): number {
    const offset = this.#lastOffset + 1
    const size = lineBytes(offset, to - from)
    const { maxEvents, maxBytes, maxAgeMs } = this.#limits
    while (
      offset > this.#firstOffset &&
      (offset - this.#firstOffset >= maxEvents || this.#bytes + size > maxBytes)
    ) {
      if (!this.onFull(now)) return 0
    }
    if (this.#segments.at(-1)?.append(resent, source, from, to, type, size) !== true) {
      this.#addSegment(size).append(resent, source, from, to, type, size)
    }
    this.#lastOffset = offset
    this.#bytes += size
    if (maxAgeMs !== Infinity) this.#stamp(offset, now)
    this.onAppended(type, offset)
    return offset
  }

  typeOf(offset: number): string {
    return this.segmentOf(offset)?.typeOf(offset) ?? ''
  }

  /** The segment of an event; `undefined` when the event has left the log, or was not appended yet. */
  segmentOf(offset: number): Segment | undefined {
    if (offset < this.#firstOffset || offset > this.#lastOffset) return undefined
    let low = 0
    let high = this.#segments.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#segments[middle]?.base ?? Infinity) <= offset) low = middle
      else high = middle - 1
    }
    return this.#segments[low]
  }

  /** The batch behind `cursor`. The event behind the cursor is still in the log. */
  batch(cursor: number, filter: EventFilter, limits: BatchLimits): Batch {
    const segment = this.segmentOf(cursor + 1)
    return segment?.batch(cursor, filter, limits) ?? emptyBatch(this.#lastOffset)
  }

  /** Removes the oldest event. */
  evictOldest(): void {
    const [segment] = this.#segments
    if (segment === undefined || this.events === 0) return
    const offset = this.#firstOffset
    this.#marks.add(segment.typeOf(offset), offset)
    this.#bytes -= segment.sizeOf(offset)
    this.#firstOffset = offset + 1
    if (segment.last === offset && this.#segments.length > 1) this.#segments.shift()
  }

  /** Whether the oldest event is older than events may become. */
  isOldestTooOld(now: number): boolean {
    if (this.events === 0) return false
    while ((this.#stamps[1]?.from ?? Infinity) <= this.#firstOffset) this.#stamps.shift()
    // Later events have a stamp of their own.
    const appendedBy = (this.#stamps[0]?.at ?? now) + this.#limits.maxAgeMs / AGE_STEPS
    return now - Math.min(appendedBy, this.#newestAt) >= this.#limits.maxAgeMs
  }

  /** The highest evicted offset above `cursor` whose type matches; 0 when there is none. */
  lostBeyond(cursor: number, matches: (type: string) => boolean): number {
    return cursor + 1 >= this.#firstOffset ? 0 : this.#marks.highest(matches, cursor)
  }

  #addSegment(size: number): Segment {
    const newest = this.#segments.at(-1)
    const capacity = Math.max(this.#limits.segmentBytes ?? SEGMENT_BYTES, size)
    const segment = new Segment(this.#lastOffset + 1, capacity)
    // The only segment stays when its last event leaves, as long as there is room in it.
    if (newest !== undefined && newest.last < this.#firstOffset) this.#segments.pop()
    this.#segments.push(segment)
    return segment
  }

  #stamp(offset: number, now: number): void {
    this.#newestAt = now
    const newest = this.#stamps.at(-1)
    if (newest === undefined || now - newest.at >= this.#limits.maxAgeMs / AGE_STEPS) {
      this.#stamps.push({ from: offset, at: now })
    }
  }
}

/** Types with a mark of their own; all others share one. Clients choose the types, so there may be any number. */
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
   * The highest evicted offset above `cursor` whose type matches; 0 when there is none. Exact unless more types than
   * marks were evicted; then it may be too high, never too low.
   */
  highest(matches: (type: string) => boolean, cursor: number): number {
    let highest = this.#others > cursor ? this.#others : 0
    for (const [type, offset] of this.#byType) {
      if (offset > highest && offset > cursor && matches(type)) highest = offset
    }
    return highest
  }
}
