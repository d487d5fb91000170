/** A subscriber session: one cursor in the log, and the frames that were sent and not acknowledged. */

import Denque from 'denque'
import type { WireSubscription, WireMode } from '../../../protocol/bus-v1/hello.ts'
import type { Window } from '../../../protocol/bus-v1/limits.ts'
import {
  countUpTo,
  firstAbove,
  type Batch,
  type BatchEvents,
  type EventFilter,
  type Segment,
} from '../log/segment.ts'
import type { EventLog } from '../log/log.ts'
import type { PatternSets, PatternSet, Reader } from '../log/pattern-set.ts'

/** Keeps the books; what is sent, and when, is not decided here. */
export class SubscriberSession implements EventFilter {
  readonly #wanted: Wanted
  /** Made with the first batch, so that a session without any costs nothing. */
  #unacked: Denque<BatchEvents> | undefined
  #window: Window
  #maxMessageBytes = Infinity
  #position = 0
  #told = 0
  #acked = 0
  #unackedEvents = 0
  #unackedBytes = 0
  /** Nothing was told on this link yet, so the cursor may still go back. */
  #isFresh = true

  constructor(sets: PatternSets, window: Window) {
    this.#wanted = new Wanted(sets)
    this.#window = window
  }

  /** Everything up to it was sent, or is not wanted. */
  get position(): number {
    return this.#position
  }

  /** The subscriber knows of it: nothing above can be acknowledged. */
  get told(): number {
    return this.#told
  }

  /** Everything up to it is settled. */
  get acked(): number {
    return this.#acked
  }

  get unackedEvents(): number {
    return this.#unackedEvents
  }

  /** The largest message that it takes. */
  get maxMessageBytes(): number {
    return this.#maxMessageBytes
  }

  get subscriptions(): number {
    return this.#wanted.size
  }

  /** Whether some subscription is at least once. */
  get isReliable(): boolean {
    return this.#wanted.isReliable
  }

  /** Whether the window has room for another event. */
  get hasCredit(): boolean {
    return this.#unackedEvents < this.#window.events && this.#unackedBytes < this.#window.bytes
  }

  /** The subscriptions as they stand. */
  list(): Iterable<WireSubscription & { readonly from: number }> {
    return this.#wanted.list()
  }

  has(id: number): boolean {
    return this.#wanted.has(id)
  }

  /** Begins anew on a link, behind `cursor`. What was sent on an older link and not settled is sent again. */
  begin(cursor: number, window: Window, maxMessageBytes: number = Infinity): void {
    this.unlink()
    this.#window = window
    this.#maxMessageBytes = maxMessageBytes
    this.#position = cursor
    this.#told = cursor
    this.#acked = cursor
    this.#isFresh = true
  }

  /** The first subscription comes: nothing before `cursor` is owed. Back it goes only while nothing was told. */
  restart(cursor: number): void {
    if (this.#isFresh) this.#told = this.#acked = cursor
    this.#position = Math.max(cursor, this.#told)
  }

  /** The link is gone. */
  unlink(): void {
    this.#unacked = undefined
    this.#unackedEvents = 0
    this.#unackedBytes = 0
    this.#position = this.#acked
  }

  /** Adds a subscription to events behind `since`, which is not below {@link told}. */
  add(id: number, sub: Pick<WireSubscription, 'pattern' | 'mode'>, since: number): void {
    this.#wanted.add(id, sub, since)
    // What lies between was of no interest to the others, or it would have been told.
    if (since < this.#position) this.#position = since
  }

  /** `false`: there was none. */
  remove(id: number): boolean {
    return this.#wanted.remove(id)
  }

  /** Gives everything back. */
  end(): void {
    this.#wanted.clear()
    this.unlink()
  }

  /** Whether an event is wanted. */
  matches(type: string, offset: number): boolean {
    return this.#wanted.wants(type, offset)
  }

  lookUp(segment: Segment, cursor: number, end: number): readonly number[] | undefined {
    return this.#isWhole ? this.#wanted.set.lookUp(segment, cursor, end) : undefined
  }

  /** Goes to the end of the log if it is known that nothing up to there is wanted. @returns whether it did */
  passBy(log: EventLog): boolean {
    if (!this.#isWhole) return false
    if (this.#wanted.madeSet?.firstBehind(this.#position) !== Infinity) return false
    this.#position = log.lastOffset
    return true
  }

  /** The next batch within the window; `undefined` when everything was looked through or the window is full. */
  next(log: EventLog, flush: number): Batch | undefined {
    if (this.#position >= log.lastOffset || !this.hasCredit) return undefined
    if (this.#isWhole) {
      const shared = this.#wanted.set.batchAfter(log, this.#position, flush)
      if (this.#fits(shared)) return shared
    }
    return log.batch(this.#position, this, {
      events: this.#window.events - this.#unackedEvents,
      bytes: Math.min(this.#window.bytes - this.#unackedBytes, this.#maxMessageBytes),
      messageBytes: this.#maxMessageBytes,
    })
  }

  /** Has noted for it what comes, so that it need not look for it; by itself that happens where subscriptions are few. */
  prepare(log: EventLog): void {
    this.#wanted.prepare(log)
  }

  /** The batch was sent. */
  sent({ upTo, events }: Batch): void {
    this.#position = upTo
    if (events.count === 0) return
    this.#told = events.last
    this.#isFresh = false
    this.#unacked ??= new Denque()
    this.#unacked.push(events)
    this.#unackedEvents += events.count
    this.#unackedBytes += events.bytes
  }

  /** The subscriber was told that everything up to here is sent, or lost. */
  tell(offset: number): void {
    this.#isFresh = false
    if (offset > this.#told) this.#told = offset
  }

  /** Goes on behind `offset`, because nothing that is wanted is left before it. */
  skipTo(offset: number): void {
    if (offset > this.#position) this.#position = offset
  }

  /** Everything up to `offset` is settled. @returns whether that is news; the caller has compared with {@link told} */
  ack(offset: number): boolean {
    if (offset <= this.#acked) return false
    const before = this.#acked
    this.#acked = offset
    let lines = this.#unacked?.peekFront()
    while (lines !== undefined && lines.first <= offset) {
      this.#unackedEvents -= countUpTo(lines, offset) - countUpTo(lines, before)
      if (lines.last > offset) break
      this.#unackedBytes -= lines.bytes
      this.#unacked?.shift()
      lines = this.#unacked?.peekFront()
    }
    return true
  }

  /** The oldest event that it may still ask for; `head + 1` when there is none. Looks through what it does not want. */
  needs(log: EventLog): number {
    const sent = this.#unacked?.peekFront()
    if (sent !== undefined) return firstAbove(sent, this.#acked)
    const known = this.#isWhole ? (this.#wanted.set.firstBehind(this.#position) ?? 0) : 0
    this.skipTo(Math.min(known - 1, log.lastOffset))
    while (this.#position < log.lastOffset) {
      const next = this.#position + 1
      if (next >= log.firstOffset && this.matches(log.typeOf(next), next)) break
      this.#position = Math.max(next, log.firstOffset - 1)
    }
    return this.#position + 1
  }

  /** The newest wanted event that left the log before it was sent; 0 when there is none. */
  lost(log: EventLog): number {
    return this.#wanted.lost(log, this.#position)
  }

  #fits({ events }: Batch): boolean {
    if (events.bytes > this.#maxMessageBytes) return false
    if (events.count <= 1) return true
    return (
      events.count <= this.#window.events - this.#unackedEvents &&
      events.bytes <= this.#window.bytes - this.#unackedBytes
    )
  }

  get #isWhole(): boolean {
    return this.#wanted.isWholeBehind(this.#position)
  }
}

/** With so many subscriptions at most the set of all patterns is made as soon as they have stopped changing. */
const FEW = 16

interface Sub {
  readonly id: number
  readonly mode: WireMode
  /** It wants events behind this offset only. */
  readonly since: number
  /** Its pattern as a set of its own, for the time in which it wants less than its session. */
  readonly set: PatternSet
}

/** Gives back every set that it has taken when it is {@link clear}ed. */
export class Wanted implements Reader {
  readonly #sets: PatternSets
  #subs: readonly Sub[] = []
  #known: PatternSet | undefined
  /** The subscriptions are others than those of {@link #known}. */
  #isStale = false
  #newestSince = 0
  /** Subscriptions that are at least once. */
  #reliable = 0

  constructor(sets: PatternSets) {
    this.#sets = sets
  }

  /** Subscriptions. */
  get size(): number {
    return this.#subs.length
  }

  /** Whether some subscription is at least once. */
  get isReliable(): boolean {
    return this.#reliable > 0
  }

  /** The set of all patterns, made when it is asked for: subscriptions come many at a time, and each of them changes it. */
  get set(): PatternSet {
    if (this.#known !== undefined && !this.#isStale) return this.#known
    const before = this.#known
    const known = this.#sets.acquire(this.#subs.map(({ set }) => set.key))
    // Not before: who resumes says the same subscriptions again, and what the set knows of the log would be gone.
    if (before !== undefined) this.#sets.release(before)
    this.#isStale = false
    this.#known = known
    return known
  }

  /** The same, unless it would have to be made. */
  get madeSet(): PatternSet | undefined {
    return this.#isStale ? undefined : this.#known
  }

  /** Whether behind this offset the set says it all: no subscription wants less than its pattern matches. */
  isWholeBehind(offset: number): boolean {
    return offset >= this.#newestSince
  }

  /** The subscriptions as they stand. */
  *list(): Generator<WireSubscription & { readonly from: number }> {
    for (const { id, mode, since, set } of this.#subs)
      yield { id, pattern: set.key, mode, from: since }
  }

  has(id: number): boolean {
    return this.#subs.some((sub) => sub.id === id)
  }

  /** Another subscription, to events behind `since`, in place of the one with this id. */
  add(id: number, sub: Pick<WireSubscription, 'pattern' | 'mode'>, since: number): void {
    this.remove(id)
    const set = this.#sets.acquire([sub.pattern])
    // Pushing would make room for many more.
    this.#subs = this.#subs.concat({ id, mode: sub.mode, since, set })
    this.#sets.subscriptions++
    if (sub.mode === 'alo') this.#reliable++
    this.#newestSince = Math.max(this.#newestSince, since)
    this.#changed()
  }

  /** `false`: there was none. */
  remove(id: number): boolean {
    const sub = this.#subs.find((one) => one.id === id)
    if (sub === undefined) return false
    this.#subs = this.#subs.filter((one) => one !== sub)
    this.#sets.subscriptions--
    if (sub.mode === 'alo') this.#reliable--
    this.#sets.release(sub.set)
    this.#changed()
    return true
  }

  clear(): void {
    for (const { set } of this.#subs) this.#sets.release(set)
    this.#sets.subscriptions -= this.#subs.length
    this.#subs = []
    this.#reliable = 0
    if (this.#known !== undefined) this.#sets.release(this.#known)
    this.#known = undefined
    this.#sets.forget(this)
  }

  /** What comes is noted from now on. */
  prepare(log: EventLog): void {
    if (this.size > 0) this.set.watch(log)
  }

  settled(log: EventLog): void {
    if (this.size <= FEW) this.prepare(log)
  }

  /** Whether an event is wanted. */
  wants(type: string, offset: number): boolean {
    if (!this.set.matches(type)) return false
    if (offset > this.#newestSince) return true
    for (const sub of this.#subs) if (offset > sub.since && sub.set.matches(type)) return true
    return false
  }

  /** The newest wanted event behind `cursor` that left the log; 0 when there is none. */
  lost(log: EventLog, cursor: number): number {
    if (this.isWholeBehind(cursor)) return log.lostBeyond(cursor, (type) => this.set.matches(type))
    let newest = 0
    for (const { since, set } of this.#subs) {
      newest = Math.max(
        newest,
        log.lostBeyond(Math.max(since, cursor), (type) => set.matches(type)),
      )
    }
    return newest
  }

  #changed(): void {
    this.#isStale = true
    this.#sets.changed(this)
  }
}
