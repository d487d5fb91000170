/** A subscriber session: the subscriptions of one client, its position in the log, and the batches that were sent and not acknowledged. */

import Denque from 'denque'
import type { WireMode, WireSubscription } from '../../../protocol/bus-v1/hello.ts'
import type { Window } from '../../../protocol/bus-v1/limits.ts'
import { gapLine, markLine } from '../../../protocol/bus-v1/lines.ts'
import type { EventLog } from '../log/log.ts'
import type { PatternSet, PatternSets, PatternSetReader } from '../log/pattern-set.ts'
import {
  countUpTo,
  firstAbove,
  type Batch,
  type BatchEvents,
  type EventFilter,
  type Segment,
} from '../log/segment.ts'
import type { Counters } from '../stats.ts'

/** Events of other types after which a subscriber is sent its position, so that it can acknowledge it. */
const MARK_EVENTS = 1_024

/** With so many subscriptions at most the set of all patterns is made as soon as they have stopped changing. */
const FEW = 16

/** Where {@link SubscriberSession.pump} sends. */
export interface MessageOutlet {
  /** More is buffered in the socket than it should be. */
  readonly isFull: boolean
  /** Sends a line as a message of its own. */
  sendText(text: string): void
  /** Sends lines of the log. */
  send(data: Buffer): void
}

/**
 * What an acknowledgement changed: `ahead` of everything that was sent, `old`, or it `moved` the session on; `freed`
 * means that the window was full before.
 */
export type AckResult = 'ahead' | 'old' | 'moved' | 'freed'

interface Subscription {
  readonly id: number
  readonly mode: WireMode
  /** It gets events behind this offset only. */
  readonly since: number
  /** Its pattern as a set of its own, for as long as it gets less than the other subscriptions of its session. */
  readonly set: PatternSet
}

/**
 * Three offsets move through the log, and `acked <= lastSentOffset`, `acked <= position` are always true:
 *
 *     acked ─────────── lastSentOffset ─────────── position ─────────── the log's last offset
 *       sent, not settled          matches nothing           not searched yet
 *
 * A lost link moves `position` back to `acked`.
 */
export class SubscriberSession implements EventFilter, PatternSetReader {
  readonly #sets: PatternSets
  #subs: readonly Subscription[] = []
  /** Subscriptions that are at least once. */
  #reliable = 0
  /** Every subscription gets everything that matches its pattern behind this offset. */
  #newestSince = 0
  /** The set of all patterns, as they were when it was made. */
  #madeSet: PatternSet | undefined
  /** The subscriptions have changed since {@link #madeSet} was made. */
  #isStale = true
  #window: Window
  #maxMessageBytes = Infinity
  #position = 0
  #lastSentOffset = 0
  #acked = 0
  /** Made with the first batch, so that a session without any costs nothing. */
  #unacked: Denque<BatchEvents> | undefined
  #unackedEvents = 0
  #unackedBytes = 0
  /** Nothing was sent on this link yet, so the session may still go back. */
  #isFresh = true
  /** It made no progress for too long: events may leave the log before it has them, and no publisher waits for it. */
  isGivenUp: boolean = false
  /** When it acknowledged something last, or came back. */
  progressAt: number = -Infinity
  /** Since when it keeps the log full; `undefined`: it does not. */
  blockingSince: number | undefined

  constructor(sets: PatternSets, window: Window) {
    this.#sets = sets
    this.#window = window
  }

  /** Everything up to it was sent, or matches no subscription. */
  get position(): number {
    return this.#position
  }

  /** The newest offset that the subscriber knows of: nothing above can be acknowledged. */
  get lastSentOffset(): number {
    return this.#lastSentOffset
  }

  /** Everything up to it is settled. */
  get acked(): number {
    return this.#acked
  }

  /** Offsets up to the newest event that it has not settled, or that were not searched for it. */
  behind(log: EventLog): number {
    if (this.#subs.length === 0) return 0
    return log.lastOffset - (this.#unackedEvents === 0 ? this.#position : this.#acked)
  }

  get unackedEvents(): number {
    return this.#unackedEvents
  }

  /** The largest message that the subscriber accepts. */
  get maxMessageBytes(): number {
    return this.#maxMessageBytes
  }

  get subscriptions(): number {
    return this.#subs.length
  }

  /** Whether the log must keep what it has not acknowledged: some subscription is at least once, and it is not given up. */
  get isProtected(): boolean {
    return this.#reliable > 0 && !this.isGivenUp
  }

  /** The subscriptions, each with the offset behind which it begins. */
  *list(): Generator<WireSubscription & { readonly from: number }> {
    for (const { id, mode, since, set } of this.#subs) {
      yield { id, pattern: set.key, mode, from: since }
    }
  }

  has(id: number): boolean {
    return this.#subs.some((sub) => sub.id === id)
  }

  /** Begins anew on a link, behind `cursor`. What was sent on an older link and not settled is sent again. */
  begin(cursor: number, window: Window, maxMessageBytes: number = Infinity): void {
    this.unlink()
    this.#window = window
    this.#maxMessageBytes = maxMessageBytes
    this.#position = cursor
    this.#lastSentOffset = cursor
    this.#acked = cursor
    this.#isFresh = true
  }

  /** The first subscription is about to be added: it begins behind `cursor`, which is lower only if nothing was sent yet. */
  restart(cursor: number): void {
    if (this.#isFresh) this.#lastSentOffset = this.#acked = cursor
    this.#position = Math.max(cursor, this.#lastSentOffset)
  }

  /** The link was lost. */
  unlink(): void {
    this.#unacked = undefined
    this.#unackedEvents = 0
    this.#unackedBytes = 0
    this.#position = this.#acked
  }

  /**
   * Adds a subscription to events behind `since`, which is not below {@link lastSentOffset}. It replaces one with the
   * same id.
   */
  add(id: number, sub: Pick<WireSubscription, 'pattern' | 'mode'>, since: number): void {
    this.remove(id)
    const set = this.#sets.acquire([sub.pattern])
    this.#sets.observer?.subscribed(this, set.key)
    // `push` would allocate space for many more.
    this.#subs = this.#subs.concat({ id, mode: sub.mode, since, set })
    this.#sets.subscriptions++
    if (sub.mode === 'alo') this.#reliable++
    this.#newestSince = Math.max(this.#newestSince, since)
    this.#subscriptionsChanged()
    // What lies between matched no other subscription, or it would have been sent.
    if (since < this.#position) this.#position = since
  }

  /** `false`: there was none. */
  remove(id: number): boolean {
    const sub = this.#subs.find((one) => one.id === id)
    if (sub === undefined) return false
    this.#subs = this.#subs.filter((one) => one !== sub)
    this.#sets.subscriptions--
    if (sub.mode === 'alo') this.#reliable--
    this.#release(sub.set)
    this.#subscriptionsChanged()
    return true
  }

  /** Removes every subscription. */
  removeAll(): void {
    for (const { set } of this.#subs) {
      this.#sets.release(set)
      this.#sets.observer?.unsubscribed(this, set.key)
    }
    this.#sets.subscriptions -= this.#subs.length
    this.#subs = []
    this.#reliable = 0
    this.#subscriptionsChanged()
  }

  /** Gives back everything that it has taken. */
  end(): void {
    this.removeAll()
    if (this.#madeSet !== undefined) this.#sets.release(this.#madeSet)
    this.#madeSet = undefined
    this.#sets.forget(this)
    this.unlink()
  }

  /** Whether some subscription gets this event. */
  matches(type: string, offset: number): boolean {
    if (!this.#set.matches(type)) return false
    if (offset > this.#newestSince) return true
    for (const sub of this.#subs) if (offset > sub.since && sub.set.matches(type)) return true
    return false
  }

  lookUp(segment: Segment, cursor: number, end: number): readonly number[] | undefined {
    return cursor >= this.#newestSince ? this.#set.lookUp(segment, cursor, end) : undefined
  }

  /** Notes from now on which events match, so that they need not be searched for; by itself that happens where subscriptions are few. */
  prepare(log: EventLog): void {
    if (this.#subs.length > 0) this.#set.watch(log)
  }

  settled(log: EventLog): void {
    if (this.#subs.length <= FEW) this.prepare(log)
  }

  /**
   * Moves to the end of the log if it is known that nothing up to there matches, which is all that most sessions need.
   *
   * @returns `false`: {@link pump} is needed, and nothing has changed
   */
  passBy(lastOffset: number): boolean {
    if (this.#subs.length === 0) return true
    if (lastOffset - this.#lastSentOffset >= MARK_EVENTS) return false
    if (this.#isStale || this.#position < this.#newestSince) return false
    if (this.#madeSet?.firstBehind(this.#position) !== Infinity) return false
    this.#position = lastOffset
    return true
  }

  /**
   * Sends what matches, as far as the window and the socket allow.
   *
   * @param flush - the number of the flush, within which sessions share what was found
   * @param wantsMark - sends the position even if little lies between
   * @returns whether events had left the log before they were sent; they were reported as a gap
   */
  pump(
    log: EventLog,
    outlet: MessageOutlet,
    counters: Counters,
    flush: number,
    wantsMark: boolean,
  ): boolean {
    let wasBehind = false
    while (!outlet.isFull && this.#hasCredit) {
      if (this.#position + 1 < log.firstOffset) {
        this.#reportLost(log, outlet, counters)
        wasBehind = true
      }
      if (this.#position >= log.lastOffset) break
      const { upTo, data, events, tooLarge } = this.#next(log, flush)
      this.#position = upTo
      if (tooLarge !== undefined) {
        outlet.sendText(gapLine(tooLarge.from, tooLarge.to, 'size'))
        this.markSent(tooLarge.to)
        counters.gaps++
      }
      if (data === undefined) continue
      this.#lastSentOffset = events.last
      this.#isFresh = false
      this.#unacked ??= new Denque()
      this.#unacked.push(events)
      this.#unackedEvents += events.count
      this.#unackedBytes += events.bytes
      outlet.send(data)
      counters.delivered += events.count
    }
    const unmarked = this.#position - this.#lastSentOffset
    if (unmarked >= MARK_EVENTS || (wantsMark && unmarked > 0)) {
      outlet.sendText(markLine(this.#position))
      this.markSent(this.#position)
    }
    return wasBehind
  }

  /** The subscriber was informed that everything up to this offset was sent, or lost. */
  markSent(offset: number): void {
    this.#isFresh = false
    if (offset > this.#lastSentOffset) this.#lastSentOffset = offset
  }

  /** Goes on behind `offset`, because nothing up to there is left to send. */
  skipTo(offset: number): void {
    if (offset > this.#position) this.#position = offset
  }

  /** It made progress, or came back: it is waited for again. */
  progressed(now: number): void {
    this.isGivenUp = false
    this.progressAt = now
    this.blockingSince = undefined
  }

  /** The subscriber has settled everything up to `offset`. */
  ack(offset: number): AckResult {
    if (offset > this.#lastSentOffset) return 'ahead'
    if (offset <= this.#acked) return 'old'
    const result = this.#hasCredit ? 'moved' : 'freed'
    const before = this.#acked
    this.#acked = offset
    let events = this.#unacked?.peekFront()
    while (events !== undefined && events.first <= offset) {
      this.#unackedEvents -= countUpTo(events, offset) - countUpTo(events, before)
      if (events.last > offset) break
      this.#unackedBytes -= events.bytes
      this.#unacked?.shift()
      events = this.#unacked?.peekFront()
    }
    return result
  }

  /** The oldest event that the subscriber may still need; the log's `lastOffset + 1` when there is none. */
  needs(log: EventLog): number {
    const sent = this.#unacked?.peekFront()
    if (sent !== undefined) return firstAbove(sent, this.#acked)
    const isWhole = this.#position >= this.#newestSince
    const known = isWhole ? (this.#set.firstBehind(this.#position) ?? 0) : 0
    this.skipTo(Math.min(known - 1, log.lastOffset))
    while (this.#position < log.lastOffset) {
      const next = this.#position + 1
      if (next >= log.firstOffset && this.matches(log.typeOf(next), next)) break
      this.#position = Math.max(next, log.firstOffset - 1)
    }
    return this.#position + 1
  }

  /** The newest event that matches and left the log before it was sent; 0 when there is none. */
  lost(log: EventLog): number {
    if (this.#position >= this.#newestSince) {
      const set = this.#set
      return log.lostBeyond(this.#position, (type) => set.matches(type))
    }
    let newest = 0
    for (const { since, set } of this.#subs) {
      const behind = Math.max(since, this.#position)
      newest = Math.max(
        newest,
        log.lostBeyond(behind, (type) => set.matches(type)),
      )
    }
    return newest
  }

  /** Whether the window has room for another event. */
  get #hasCredit(): boolean {
    return this.#unackedEvents < this.#window.events && this.#unackedBytes < this.#window.bytes
  }

  /** The set of all patterns, made when it is needed: subscriptions come many at a time, and each of them changes it. */
  get #set(): PatternSet {
    if (this.#madeSet !== undefined && !this.#isStale) return this.#madeSet
    const before = this.#madeSet
    const made = this.#sets.acquire(this.#subs.map(({ set }) => set.key))
    // Released last: a client that resumes sends the same subscriptions again, and what the set knows of the log must stay.
    if (before !== undefined) this.#sets.release(before)
    this.#isStale = false
    this.#madeSet = made
    return made
  }

  /** The next batch within the window. There are events behind the position. */
  #next(log: EventLog, flush: number): Batch {
    const events = this.#window.events - this.#unackedEvents
    const bytes = this.#window.bytes - this.#unackedBytes
    if (this.#position >= this.#newestSince) {
      const shared = this.#set.batchAfter(log, this.#position, flush)
      const { count, bytes: size } = shared.events
      const isWithinWindow = count <= 1 || (count <= events && size <= bytes)
      if (isWithinWindow && size <= this.#maxMessageBytes) return shared
    }
    return log.batch(this.#position, this, {
      events,
      bytes: Math.min(bytes, this.#maxMessageBytes),
      messageBytes: this.#maxMessageBytes,
    })
  }

  #reportLost(log: EventLog, outlet: MessageOutlet, counters: Counters): void {
    const lost = this.lost(log)
    if (lost > 0) {
      outlet.sendText(gapLine(this.#position + 1, lost, 'slow'))
      this.markSent(lost)
      counters.gaps++
    }
    this.skipTo(log.firstOffset - 1)
  }

  #release(set: PatternSet): void {
    const { observer } = this.#sets
    this.#sets.release(set)
    // Another subscription may have the same pattern.
    if (observer !== undefined && this.#subs.every((sub) => sub.set !== set)) {
      observer.unsubscribed(this, set.key)
    }
  }

  #subscriptionsChanged(): void {
    this.#isStale = true
    this.#sets.changed(this)
  }
}
