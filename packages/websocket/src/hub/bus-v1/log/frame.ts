/** A frame: the lines of wanted events that lie together in the log, as one message. */
import type { EventLog } from './log.ts'
import type { Segment } from './segment.ts'

/** What may go into one frame. */
export interface FrameLimits {
  /** Events. */
  readonly events: number
  /** Bytes; one event may be larger. */
  readonly bytes: number
  /** Bytes that no message may exceed, even if it holds one event. */
  readonly messageBytes: number
}

/** Whether a reader wants an event. */
export type Wants = (type: string, offset: number) => boolean

/** The wanted events behind `cursor` up to `end`, in order; `undefined` where each has to be asked about. */
export type LookUp = (
  segment: Segment,
  cursor: number,
  end: number,
) => readonly number[] | undefined

/** Events are looked up by type where at most one in so many is wanted. */
const SPARSE = 4

/** Which events are in a frame. */
export interface Lines {
  readonly count: number
  readonly first: number
  readonly last: number
  readonly bytes: number
  /** The offsets where some between `first` and `last` are missing; else `undefined`. */
  readonly offsets: readonly number[] | undefined
}

/** Offsets, both included. */
interface Range {
  readonly from: number
  readonly to: number
}

/** A part of the log as one reader, or all readers of one kind, get it. Shared, so nothing in it changes. */
export interface Frame {
  /** The log was looked through up to this offset. */
  readonly upTo: number
  /** The message; `undefined` when nothing is wanted up to there. */
  readonly data: Buffer | undefined
  /** Apart from the data, because it is kept until the reader acknowledges. */
  readonly lines: Lines
  /** The wanted events between these, of which there is at least one, are each too large for a message. */
  readonly tooLarge: Range | undefined
}

/** How many of the events have an offset of at most `offset`. */
export function countUpTo(lines: Lines, offset: number): number {
  if (offset >= lines.last) return lines.count
  if (offset < lines.first) return 0
  const { offsets } = lines
  if (offsets === undefined) return offset - lines.first + 1
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
export function firstAbove(lines: Lines, offset: number): number {
  if (offset < lines.first) return lines.first
  return lines.offsets?.[countUpTo(lines, offset)] ?? offset + 1
}

/**
 * The frame behind `cursor`: it ends with its segment, where it is full, or before an event that is too large. There is
 * at least one event behind the cursor, and it is still in the log.
 *
 * @param lookUp - finds what is wanted, so that what others want costs nothing. Without it every event is asked about.
 */
export function frameAfter(
  log: EventLog,
  cursor: number,
  wants: Wants,
  limits: FrameLimits,
  lookUp?: LookUp,
): Frame {
  const segment = log.segmentOf(cursor + 1)
  if (segment === undefined) return emptyFrame(log.head)
  const draft = new Draft(segment, limits)
  const end = Math.min(segment.last, log.head)
  const offsets = lookUp?.(segment, cursor, end)
  if (offsets === undefined) {
    for (let offset = cursor + 1; offset <= end; offset++) {
      if (wants(segment.typeOf(offset), offset) && !draft.take(offset))
        return draft.frame(offset - 1)
    }
  } else {
    for (const offset of offsets) {
      if (!draft.take(offset)) return draft.frame(offset - 1)
    }
  }
  return draft.frame(end)
}

/** For readers whose wanted types can be named. Leaves off when they are so many that asking about every event costs less. */
export function lookUpTypes(types: readonly string[]): LookUp {
  return (segment, cursor, end) => {
    const offsets: number[] = []
    const limit = (end - cursor) / SPARSE
    for (const type of types) {
      if (!segment.collect(type, cursor, offsets, limit)) return undefined
    }
    return types.length === 1 ? offsets.toReversed() : offsets.toSorted((a, b) => a - b)
  }
}

/** A frame in the making. */
class Draft {
  readonly #segment: Segment
  readonly #limits: FrameLimits
  readonly #runs: number[] = []
  #count = 0
  #bytes = 0
  #tooLarge: Range | undefined

  constructor(segment: Segment, limits: FrameLimits) {
    this.#segment = segment
    this.#limits = limits
  }

  /** The next event that is wanted. `false`: the frame ends before it. */
  take(offset: number): boolean {
    const size = this.#segment.sizeOf(offset)
    const { events, bytes, messageBytes } = this.#limits
    // The last line of a message has no line feed.
    if (size - 1 > messageBytes) {
      if (this.#count > 0) return false
      this.#tooLarge = { from: this.#tooLarge?.from ?? offset, to: offset }
      return true
    }
    if (this.#tooLarge !== undefined || this.#count === events) return false
    const isFull = this.#bytes + size > bytes || this.#bytes + size - 1 > messageBytes
    if (this.#count > 0 && isFull) return false
    this.#count++
    this.#bytes += size
    addToRuns(this.#runs, offset)
    return true
  }

  frame(upTo: number): Frame {
    if (this.#count === 0) return emptyFrame(upTo, this.#tooLarge)
    return fromRuns(this.#segment, this.#runs, upTo, this.#count)
  }
}

const NO_LINES: Lines = { count: 0, first: 0, last: 0, bytes: 0, offsets: undefined }

/** Nothing is wanted up to there. */
export function emptyFrame(upTo: number, tooLarge?: Range): Frame {
  return { upTo, data: undefined, lines: NO_LINES, tooLarge }
}

/** Runs are pairs of first and last offset. */
function addToRuns(runs: number[], offset: number): void {
  const newest = runs.length - 1
  if (newest > 0 && runs[newest] === offset - 1) runs[newest] = offset
  else runs.push(offset, offset)
}

function fromRuns(segment: Segment, runs: readonly number[], upTo: number, count: number): Frame {
  const first = runs[0] ?? 0
  const last = runs.at(-1) ?? 0
  if (runs.length === 2) {
    const data = segment.slice(first, last)
    const lines = { count, first, last, bytes: data.length, offsets: undefined }
    return { upTo, data, lines, tooLarge: undefined }
  }
  const parts: Buffer[] = []
  const offsets: number[] = []
  for (let i = 0; i < runs.length; i += 2) {
    const from = runs[i] ?? 0
    const to = runs[i + 1] ?? 0
    if (i > 0) parts.push(LINE_FEED)
    parts.push(segment.slice(from, to))
    for (let offset = from; offset <= to; offset++) offsets.push(offset)
  }
  const data = Buffer.concat(parts)
  const lines = { count, first, last, bytes: data.length, offsets }
  return { upTo, data, lines, tooLarge: undefined }
}

const LINE_FEED = Buffer.from('\n')
