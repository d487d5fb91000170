/** A pattern set: readers that want the same share what was found for one of them. */

import { isType } from '@bus/core'
import { PatternIndex } from '@bus/core/kit'
import { emptyFrame, frameAfter, lookUpTypes, type Frame, type LookUp } from './frame.ts'
import type { EventLog } from './log.ts'

/** Bytes of a frame that several readers may share. */
const FRAME_BYTES = 131_072

const UNBOUNDED_COUNT = Number.MAX_SAFE_INTEGER

/** A set of patterns. There is one object for each set, however many readers have it. */
export class PatternSet {
  readonly key: string
  readonly patterns: readonly string[]
  /** Where no pattern has a `*` or a `>`. */
  readonly #lookUpTypes: LookUp | undefined
  /** Made when events are asked about one by one, and let go of when they are not: it remembers every type. */
  #matcher: PatternIndex<true> | undefined
  #isMatcherUsed = false
  readonly #owner: PatternSets
  /** Kept from the first time on that somebody reads with it. */
  #recent: Recent | undefined
  /** The frames of this turn, by the cursor that they begin behind. */
  readonly #frames = new Map<number, Frame>()
  #turn = 0
  /** How many readers have it; kept by {@link PatternSets}. */
  readers = 0

  constructor(key: string, patterns: readonly string[], owner: PatternSets) {
    this.key = key
    this.patterns = patterns
    this.#owner = owner
    this.#lookUpTypes = patterns.every(isType) ? lookUpTypes(patterns) : undefined
  }

  /** Whether a pattern of the set matches. */
  readonly wants = (type: string): boolean => {
    this.#isMatcherUsed = true
    return (this.#matcher ??= this.#newMatcher()).match(type).length > 0
  }

  /** Finds what is wanted without asking about every event, as far as that is known. */
  readonly lookUp: LookUp = (segment, cursor, end) =>
    this.#recent?.between(cursor, end) ?? this.#lookUpTypes?.(segment, cursor, end)

  /** An event that it wants was appended. */
  appended(offset: number): void {
    this.#recent?.add(offset)
  }

  /** The first wanted event behind `cursor`, or `Infinity`; `undefined` where each has to be asked about. */
  firstBehind(cursor: number): number | undefined {
    return this.#recent?.firstBehind(cursor)
  }

  /** The frame behind `cursor`, looked for once in a turn. */
  frameAfter(log: EventLog, cursor: number, turn: number): Frame {
    this.watch(log)
    if (turn !== this.#turn) {
      this.#turn = turn
      this.#frames.clear()
    }
    const known = this.#frames.get(cursor)
    if (known !== undefined) return known
    if (this.firstBehind(cursor) === Infinity) return emptyFrame(log.head)
    const frame = frameAfter(log, cursor, this.wants, LIMITS, this.lookUp)
    this.#frames.set(cursor, frame)
    this.#owner.untidy.add(this)
    return frame
  }

  /** Notes from now on which events it wants: whoever stands at the end of the log by then need not look for any. */
  watch(log: EventLog): void {
    if (this.#recent !== undefined) return
    this.#recent = new Recent(log.head)
    this.#owner.watch(this)
  }

  /** The turn is over: a quiet hub keeps no segment alive, and no memory of types. @returns whether nothing is left */
  tidy(): boolean {
    this.#frames.clear()
    if (!this.#isMatcherUsed) this.#matcher = undefined
    this.#isMatcherUsed = false
    return this.#matcher === undefined
  }

  #newMatcher(): PatternIndex<true> {
    const matcher = new PatternIndex<true>()
    for (const pattern of this.patterns) matcher.add(pattern, true)
    this.#owner.untidy.add(this)
    return matcher
  }
}

const LIMITS = Object.freeze({
  events: UNBOUNDED_COUNT,
  bytes: FRAME_BYTES,
  messageBytes: Infinity,
})

/** Somebody whose patterns change now and then. */
export interface Reader {
  /** They have not changed for a turn. */
  settled(log: EventLog): void
}

/** Every set that some reader has. */
export class PatternSets {
  readonly #log: EventLog
  /** Readers whose patterns changed in this turn, and those whose did in the one before. */
  #changed = new Set<Reader>()
  #changedBefore = new Set<Reader>()
  readonly #byKey = new Map<string, PatternSet>()
  /** Sets with which somebody reads: an event costs those that want it, and not the others. */
  readonly #watching = new PatternIndex<PatternSet>()
  /** Sets that hold something which is not to outlive the turn; kept by them. */
  readonly untidy: Set<PatternSet> = new Set()
  /** Subscriptions of all readers; kept by them. */
  subscriptions = 0

  /** @param log - the only one that its sets are for */
  constructor(log: EventLog) {
    this.#log = log
    log.onAppended = (type, offset) => {
      for (const set of this.#watching.match(type)) set.appended(offset)
    }
  }

  /** The set of these patterns, whose order and repetition do not matter. Give it back with {@link release}. */
  acquire(patterns: Iterable<string>): PatternSet {
    const unique = [...new Set(patterns)].toSorted()
    // No pattern holds a space.
    const key = unique.join(' ')
    let set = this.#byKey.get(key)
    if (set === undefined) this.#byKey.set(key, (set = new PatternSet(key, unique, this)))
    set.readers++
    return set
  }

  release(set: PatternSet): void {
    set.readers--
    if (set.readers > 0) return
    this.#byKey.delete(set.key)
    this.untidy.delete(set)
    for (const pattern of set.patterns) this.#watching.delete(pattern, set)
  }

  /** The set is told of every event that it wants from now on. */
  watch(set: PatternSet): void {
    for (const pattern of set.patterns) this.#watching.add(pattern, set)
  }

  /** The patterns of a reader are others now. It hears when there was a turn in which they did not change again. */
  changed(reader: Reader): void {
    this.#changedBefore.delete(reader)
    this.#changed.add(reader)
  }

  /** The reader has ended. */
  forget(reader: Reader): void {
    this.#changedBefore.delete(reader)
    this.#changed.delete(reader)
  }

  /** The turn is over. @returns whether another one is needed */
  tidy(): boolean {
    for (const set of this.untidy) if (set.tidy()) this.untidy.delete(set)
    for (const reader of this.#changedBefore) reader.settled(this.#log)
    this.#changedBefore = this.#changed
    this.#changed = new Set()
    return this.#changedBefore.size > 0
  }

  get size(): number {
    return this.#byKey.size
  }
}

/** Offsets that are kept, at most. A set that wants more than that is looked for as quickly by asking about every event. */
const MAX_KEPT = 64

/** Of one pattern set. Told of every event that it wants, in order. */
export class Recent {
  /** All that is wanted behind this offset is kept. */
  #from: number
  #offsets: number[] = []

  /** @param from - everything that is wanted behind this offset will be told */
  constructor(from: number) {
    this.#from = from
  }

  /** The next event that is wanted. */
  add(offset: number): void {
    if (this.#offsets.length === MAX_KEPT) {
      this.#from = this.#offsets[MAX_KEPT - 1] ?? offset
      this.#offsets = []
    }
    this.#offsets.push(offset)
  }

  /** The first one behind `cursor`, or `Infinity`; `undefined` when that is not known any more. */
  firstBehind(cursor: number): number | undefined {
    if (cursor < this.#from) return undefined
    return this.#offsets[this.#placeBehind(cursor)] ?? Infinity
  }

  /** Those behind `cursor` up to `end`, in order; `undefined` when they are not known any more. */
  between(cursor: number, end: number): readonly number[] | undefined {
    if (cursor < this.#from) return undefined
    return this.#offsets.slice(this.#placeBehind(cursor), this.#placeBehind(end))
  }

  /** The place of the first one behind `cursor`. */
  #placeBehind(cursor: number): number {
    // Whoever asks has mostly seen all but the last few.
    let place = this.#offsets.length
    while (place > 0 && (this.#offsets[place - 1] ?? 0) > cursor) place--
    return place
  }
}
