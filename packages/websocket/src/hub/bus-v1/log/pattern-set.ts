/** A set of patterns: readers that subscribe to the same patterns share it, and the batches that were found for one of them. */

import { isType } from '@bus/core'
import { PatternIndex } from '@bus/core/kit'
import type { EventLog } from './log.ts'
import { emptyBatch, type Batch, type EventFilter, type Segment } from './segment.ts'

/** What several readers may share. Each has a window and a largest message of its own, and gets a batch of its own beyond them. */
const SHARED_LIMITS = Object.freeze({
  events: Number.MAX_SAFE_INTEGER,
  bytes: 131_072,
  messageBytes: Infinity,
})

/** Recent offsets that a set keeps. One that matches more than that is searched as quickly event by event. */
const MAX_RECENT = 64

/** There is one object for each set, however many readers have it. */
export class PatternSet implements EventFilter {
  readonly key: string
  readonly patterns: readonly string[]
  /** No pattern has a `*` or a `>`. */
  readonly #isOnlyTypes: boolean
  /** Made when events are compared one by one, and dropped after a flush without: it remembers every type. */
  #matcher: PatternIndex<true> | undefined
  #isMatcherUsed = false
  readonly #owner: PatternSets
  /** Offsets of the newest events that match; `undefined` before the first reader. */
  #recent: number[] | undefined
  /** Every match behind this offset is in {@link #recent}. */
  #recentBehind = Infinity
  /** The batches of this flush, by the cursor behind which they begin. */
  readonly #batches = new Map<number, Batch>()
  #flush = 0
  /** How many readers have it; kept by {@link PatternSets}. */
  readers = 0

  constructor(key: string, patterns: readonly string[], owner: PatternSets) {
    this.key = key
    this.patterns = patterns
    this.#owner = owner
    this.#isOnlyTypes = patterns.every(isType)
  }

  /** Whether a pattern of the set matches. */
  matches(type: string): boolean {
    this.#isMatcherUsed = true
    return (this.#matcher ??= this.#newMatcher()).match(type).length > 0
  }

  lookUp(segment: Segment, cursor: number, end: number): readonly number[] | undefined {
    if (this.#recent !== undefined && cursor >= this.#recentBehind) {
      return this.#recent.slice(this.#indexBehind(cursor), this.#indexBehind(end))
    }
    return this.#isOnlyTypes ? segment.offsetsOf(this.patterns, cursor) : undefined
  }

  /** An event that matches was appended. */
  appended(offset: number): void {
    const recent = this.#recent
    if (recent === undefined) return
    if (recent.length === MAX_RECENT) {
      this.#recentBehind = recent.at(-1) ?? offset
      this.#recent = [offset]
    } else recent.push(offset)
  }

  /** The first match behind `cursor`, or `Infinity`; `undefined` when only a search through the log would show it. */
  firstBehind(cursor: number): number | undefined {
    if (cursor < this.#recentBehind) return undefined
    return this.#recent?.[this.#indexBehind(cursor)] ?? Infinity
  }

  /** The batch behind `cursor`, searched for once in a flush. @param flush - its number */
  batchAfter(log: EventLog, cursor: number, flush: number): Batch {
    if (this.#recent === undefined) this.watch(log)
    if (flush !== this.#flush) {
      this.#flush = flush
      this.#batches.clear()
    }
    const known = this.#batches.get(cursor)
    if (known !== undefined) return known
    if (this.firstBehind(cursor) === Infinity) return emptyBatch(log.lastOffset)
    const batch = log.batch(cursor, this, SHARED_LIMITS)
    this.#batches.set(cursor, batch)
    this.#owner.dirty.add(this)
    return batch
  }

  /** Notes every match from now on: a reader that is at the end of the log by then need not search for any. */
  watch(log: EventLog): void {
    if (this.#recent !== undefined) return
    this.#recent = []
    this.#recentBehind = log.lastOffset
    this.#owner.watch(this)
  }

  /** The flush is over: a quiet hub keeps no segment alive, and remembers no types. @returns whether nothing is left */
  endFlush(): boolean {
    this.#batches.clear()
    if (!this.#isMatcherUsed) this.#matcher = undefined
    this.#isMatcherUsed = false
    return this.#matcher === undefined
  }

  /** The index among the recent offsets of the first one behind `cursor`. */
  #indexBehind(cursor: number): number {
    const recent = this.#recent ?? []
    // Most readers have received all but the last few.
    let index = recent.length
    while (index > 0 && (recent[index - 1] ?? 0) > cursor) index--
    return index
  }

  #newMatcher(): PatternIndex<true> {
    const matcher = new PatternIndex<true>()
    for (const pattern of this.patterns) matcher.add(pattern, true)
    this.#owner.dirty.add(this)
    return matcher
  }
}

/** A reader whose patterns change now and then. */
export interface PatternSetReader {
  /** Its patterns did not change during a whole flush. */
  settled(log: EventLog): void
}

/** Follows who is subscribed to what. */
export interface SubscriptionObserver<R> {
  subscribed(reader: R, pattern: string): void
  unsubscribed(reader: R, pattern: string): void
}

/** Every set that some reader has. */
export class PatternSets {
  readonly #log: EventLog
  /** Readers whose patterns changed in this flush, and those whose did in the one before. */
  #changed = new Set<PatternSetReader>()
  #changedBefore = new Set<PatternSetReader>()
  readonly #byKey = new Map<string, PatternSet>()
  /** The sets that readers read with: an appended event costs those that match, and not the others. */
  readonly #watching = new PatternIndex<PatternSet>()
  /** Sets with something that must not outlive the flush; they add themselves. */
  readonly dirty: Set<PatternSet> = new Set()
  /** Subscriptions of all readers; kept by them. */
  subscriptions = 0
  /** Called by the readers. */
  observer: SubscriptionObserver<PatternSetReader> | undefined

  /** @param log - the only one that its sets are for */
  constructor(log: EventLog) {
    this.#log = log
    log.onAppended = this.#appended
  }

  get size(): number {
    return this.#byKey.size
  }

  /** The set of these patterns, whose order and repetition do not matter. Give it back with {@link release}. */
  acquire(patterns: Iterable<string>): PatternSet {
    const unique = [...new Set(patterns)].toSorted()
    // No pattern contains a space.
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
    this.dirty.delete(set)
    for (const pattern of set.patterns) this.#watching.delete(pattern, set)
  }

  /** From now on {@link PatternSet.appended} is called for every event that matches the set. */
  watch(set: PatternSet): void {
    for (const pattern of set.patterns) this.#watching.add(pattern, set)
  }

  /** The patterns of a reader changed. It is notified after a flush in which they did not change again. */
  changed(reader: PatternSetReader): void {
    this.#changedBefore.delete(reader)
    this.#changed.add(reader)
  }

  /** The reader has ended. */
  forget(reader: PatternSetReader): void {
    this.#changedBefore.delete(reader)
    this.#changed.delete(reader)
  }

  /** The flush is over. @returns whether another one is needed */
  endFlush(): boolean {
    for (const set of this.dirty) if (set.endFlush()) this.dirty.delete(set)
    if (this.#changed.size === 0 && this.#changedBefore.size === 0) return false
    for (const reader of this.#changedBefore) reader.settled(this.#log)
    this.#changedBefore = this.#changed
    this.#changed = new Set()
    return this.#changedBefore.size > 0
  }

  readonly #appended = (type: string, offset: number): void => {
    for (const set of this.#watching.match(type)) set.appended(offset)
  }
}
