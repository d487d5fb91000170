/** A pattern set: readers that want the same share what was found for one of them. */
import { isType, PatternIndex } from '@bus/core'
import { frameAfter, type Frame } from './frame.ts'
import type { EventLog } from './log.ts'

/** Bytes of a frame that several readers may share. */
const FRAME_BYTES = 131_072

const UNBOUNDED_COUNT = Number.MAX_SAFE_INTEGER

/** A set of patterns. There is one object for each set, however many readers have it. */
export class PatternSet {
  readonly key: string
  /** Every type that is wanted, where no pattern has a `*` or a `>`. */
  readonly types: readonly string[] | undefined
  readonly #index = new PatternIndex<true>()
  /** The frames of this turn, by the cursor that they begin behind. */
  readonly #frames = new Map<number, Frame>()
  #turn = 0
  /** How many readers have it; kept by {@link PatternSets}. */
  readers = 0

  constructor(key: string, patterns: readonly string[]) {
    this.key = key
    this.types = patterns.every(isType) ? patterns : undefined
    for (const pattern of patterns) this.#index.add(pattern, true)
  }

  /** Whether a pattern of the set matches. */
  readonly wants = (type: string): boolean => this.#index.match(type).length > 0

  /** The frame behind `cursor`, looked for once in a turn. */
  frameAfter(log: EventLog, cursor: number, turn: number): Frame {
    if (turn !== this.#turn) {
      this.#turn = turn
      this.#frames.clear()
    }
    const known = this.#frames.get(cursor)
    if (known !== undefined) return known
    const frame = frameAfter(log, cursor, this.wants, LIMITS, this.types)
    this.#frames.set(cursor, frame)
    return frame
  }

  /** Lets go of the frames, so that a quiet hub keeps no segment alive. */
  forgetFrames(): void {
    // Most have none, and clearing a map that is empty costs more than to ask.
    if (this.#frames.size > 0) this.#frames.clear()
  }
}

const LIMITS = Object.freeze({
  events: UNBOUNDED_COUNT,
  bytes: FRAME_BYTES,
  messageBytes: Infinity,
})

/** Every set that some reader has. */
export class PatternSets {
  readonly #byKey = new Map<string, PatternSet>()
  /** Subscriptions of all readers; kept by them. */
  subscriptions = 0

  /** The set of these patterns, whose order and repetition do not matter. Give it back with {@link release}. */
  acquire(patterns: Iterable<string>): PatternSet {
    const unique = [...new Set(patterns)].toSorted()
    // No pattern holds a space.
    const key = unique.join(' ')
    let set = this.#byKey.get(key)
    if (set === undefined) this.#byKey.set(key, (set = new PatternSet(key, unique)))
    set.readers++
    return set
  }

  release(set: PatternSet): void {
    set.readers--
    if (set.readers === 0) this.#byKey.delete(set.key)
  }

  /** The turn is over. */
  forgetFrames(): void {
    for (const set of this.#byKey.values()) set.forgetFrames()
  }

  get size(): number {
    return this.#byKey.size
  }
}
