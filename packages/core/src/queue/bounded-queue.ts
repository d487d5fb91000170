/** The bounded queue: every buffer of the bus is one, limited in items and bytes, with a strategy for when it is full. */

import type { Clock } from '../contract/clock.ts'
import {
  resolveQueueOptions,
  type QueueOptions,
  type QueueStats,
  type BackpressureStrategy,
} from './queue-options.ts'
import { refusalError, aborted, assertWaitLimits, WaitLine, type WaitLimits } from './wait-line.ts'
import Denque from 'denque'

/**
 * A first-in first-out queue. What is under way (reserved) counts towards size and bytes and cannot be dropped,
 * because part of it may have left already; it leaves by `commit`, or waits again after `release`.
 *
 * `received = sent + dropped + rejected + size` holds whenever a hook or a caller can look.
 */
export class BoundedQueue<T> {
  readonly #options: Required<QueueOptions>
  readonly #hooks: QueueHooks<T>
  readonly #level: FillLevel
  readonly #line: WaitLine<Entry<T>>
  readonly #ring = new TwoPartRing<T>()
  #sent = 0
  #dropped = 0
  #rejected = 0
  #closeError: Error | undefined

  /**
   * @param clock - measures `timeoutMs` of {@link push}
   * @throws `ConfigError` naming the option
   */
  constructor(options: QueueOptions = {}, hooks: QueueHooks<T> = {}, clock?: Clock) {
    this.#options = resolveQueueOptions(options)
    this.#hooks = hooks
    this.#level = new FillLevel(this.#options.warningThreshold, hooks)
    this.#line = new WaitLine(() => this.#onGiveUp(), clock)
  }

  /** Items in the queue, with those under way. */
  get size(): number {
    return this.#ring.size
  }

  /** Bytes of those. */
  get bytes(): number {
    return this.#ring.bytes
  }

  /** Items under way. */
  get reserved(): number {
    return this.#ring.reserved
  }

  /** Callers that wait for room. */
  get waiting(): number {
    return this.#line.length
  }

  /** Whether one more item would be taken without waiting, dropping or refusing, if its bytes fit. */
  get hasRoom(): boolean {
    return !this.isClosed && this.waiting === 0 && this.#fits(1)
  }

  /** The larger of `size / capacity` and `bytes / maxBytes`. */
  get fillRatio(): number {
    return Math.max(this.size / this.#options.capacity, this.bytes / this.#options.maxBytes)
  }

  get isClosed(): boolean {
    return this.#closeError !== undefined
  }

  /** Takes an item in, or says why not. Never waits. */
  offer(item: T): OfferResult {
    return this.#offer(this.#entry(item))
  }

  /**
   * Takes an item in; with strategy `block` waits for room, first come first served. Rejects with outcome `not-sent`:
   * `AbortedError`, `TimeoutError`, `TooLargeError`, `QueueFullError`, `DroppedError` (after `onDrop`), or the error
   * that was given to {@link close}.
   */
  async push(item: T, wait: WaitLimits = {}): Promise<void> {
    assertWaitLimits(wait)
    if (wait.signal?.aborted === true) {
      this.#rejected++
      throw aborted(wait.signal)
    }
    const entry = this.#entry(item)
    const result = this.#offer(entry)
    if (result === 'full') await this.#line.join(entry, wait)
    else if (result !== 'accepted') {
      throw this.#closeError ?? refusalError(result, entry.bytes, this.#options.maxBytes)
    }
  }

  /** The oldest item that is not under way leaves as sent. */
  take(): T | undefined {
    return this.#leaveAsSent(this.#ring.shift())
  }

  /** The item that {@link reserve} would give, or without a rank {@link take}. */
  peek(rank?: (item: T) => number): T | undefined {
    return this.#ring.peek(rank)?.item
  }

  /**
   * The oldest item that is not under way becomes so. It keeps its room until {@link commit}.
   *
   * @param rank - the greatest goes first, and among equals the oldest; every item is asked
   */
  reserve(rank?: (item: T) => number): T | undefined {
    return this.#ring.reserve(rank)?.item
  }

  /** The oldest item under way leaves as sent. */
  commit(): T | undefined {
    return this.#leaveAsSent(this.#ring.commit())
  }

  /** Everything under way waits again, at the head, in its order. */
  release(): void {
    this.#ring.release()
  }

  /** Withdraws an item that is not under way; it counts as rejected. `false`: it is not there. */
  remove(item: T): boolean {
    if (!this.#ring.remove(item)) return false
    this.#rejected++
    this.#afterLeaving()
    return true
  }

  /**
   * Ends the queue: waiters reject with the error, and what was left is returned, oldest first, counted as dropped.
   * No hook is called. A second call changes nothing and returns nothing.
   */
  close(error: Error): T[] {
    if (this.isClosed) return []
    this.#closeError = error
    const left = this.#ring.items()
    this.#ring.clear()
    this.#dropped += left.length
    this.#rejected += this.#line.rejectAll(error)
    return left
  }

  /** The figures of now, frozen. */
  stats(): QueueStats {
    return Object.freeze({
      received: this.#sent + this.#dropped + this.#rejected + this.size,
      sent: this.#sent,
      dropped: this.#dropped,
      rejected: this.#rejected,
      size: this.size,
      bytes: this.bytes,
      capacity: this.#options.capacity,
      maxBytes: this.#options.maxBytes,
      waiting: this.waiting,
      fillRatio: this.fillRatio,
    })
  }

  /** The items as they are now, under way first. Later changes of the queue do not disturb the iteration. */
  [Symbol.iterator](): Iterator<T> {
    return this.#ring.items().values()
  }

  #entry(item: T): Entry<T> {
    const bytes = this.#hooks.sizeOf?.(item) ?? 0
    // Whole numbers only: sums of fractions drift, and a bound that drifts is none.
    if (Number.isSafeInteger(bytes) && bytes >= 0) return { item, bytes }
    throw new TypeError(`Expected \`sizeOf\` to return an integer ≥ 0, got \`${bytes}\``)
  }

  #fits(bytes: number): boolean {
    return this.size < this.#options.capacity && this.bytes + bytes <= this.#options.maxBytes
  }

  #offer(entry: Entry<T>): OfferResult {
    if (this.isClosed) {
      this.#rejected++
      return 'closed'
    }
    if (entry.bytes > this.#options.maxBytes) {
      this.#rejected++
      return 'too-large'
    }
    // Whoever waits came first, also where this item would fit and the first in the line does not.
    if (this.waiting > 0 || !this.#fits(entry.bytes)) return this.#overflow(entry)
    this.#ring.push(entry)
    this.#level.update(this.fillRatio)
    return 'accepted'
  }

  #overflow(entry: Entry<T>): OfferResult {
    const { capacity, maxBytes, strategy } = this.#options
    const { reserved, reservedBytes } = this.#ring
    const canEvict = reserved < capacity && reservedBytes + entry.bytes <= maxBytes
    const overflow = overflowOf(strategy, canEvict)
    if (overflow === 'wait') return 'full'
    if (overflow === 'evict-oldest') {
      this.#evictFor(entry)
      return 'accepted'
    }
    if (overflow === 'refuse') {
      this.#rejected++
      return 'rejected'
    }
    this.#dropped++
    this.#hooks.onDrop?.(entry.item)
    return 'dropped'
  }

  #evictFor(entry: Entry<T>): void {
    const evicted: T[] = []
    while (!this.#fits(entry.bytes)) {
      const oldest = this.#ring.shift()
      if (oldest === undefined) break
      evicted.push(oldest.item)
    }
    this.#dropped += evicted.length
    this.#ring.push(entry)
    // Told last: a hook that offers again must find its item behind this one.
    this.#level.update(this.fillRatio)
    for (const item of evicted) this.#hooks.onDrop?.(item)
  }

  #leaveAsSent(entry: Entry<T> | undefined): T | undefined {
    if (entry === undefined) return undefined
    this.#sent++
    this.#afterLeaving()
    return entry.item
  }

  #onGiveUp(): void {
    this.#rejected++
    // The first in the line may have been too large for the room there is; those behind it may fit.
    this.#afterLeaving()
  }

  #afterLeaving(): void {
    for (let next = this.#line.peek(); next !== undefined; next = this.#line.peek()) {
      if (!this.#fits(next.bytes)) break
      this.#ring.push(next)
      this.#line.admit()
    }
    this.#level.update(this.fillRatio)
  }
}

/** What became of an offered item. `full`: not taken and not counted, the caller may wait with `push`. */
export type OfferResult = 'accepted' | 'dropped' | 'rejected' | 'full' | 'too-large' | 'closed'

/** Questions and notices of a queue to its owner. Called when the queue is consistent; must not throw. */
export interface QueueHooks<T> {
  /** Bytes of an item, asked once when it comes. @default 0 */
  sizeOf?(item: T): number
  /** A strategy gave the item up, an old one or the new one. Its owner settles it here. */
  onDrop?(item: T): void
  /** The fill ratio reached the warning threshold, or fell below three quarters of it again. */
  onLevel?(level: 'high' | 'normal', fillRatio: number): void
}

/** The level falls back only below this share of the threshold, so that a ratio that hovers does not flap. */
const RELEASE = 0.75

/** An edge detector with hysteresis. */
export class FillLevel {
  readonly #threshold: number
  readonly #hooks: Pick<QueueHooks<never>, 'onLevel'>
  #isHigh = false

  constructor(threshold: number, hooks: Pick<QueueHooks<never>, 'onLevel'>) {
    this.#threshold = threshold
    this.#hooks = hooks
  }

  /** Takes the ratio of now. */
  update(fillRatio: number): void {
    if (this.#isHigh ? fillRatio >= this.#threshold * RELEASE : fillRatio < this.#threshold) return
    this.#isHigh = !this.#isHigh
    this.#hooks.onLevel?.(this.#isHigh ? 'high' : 'normal', fillRatio)
  }
}

/** Who yields when there is no room: the caller waits, the oldest goes, the new one goes, or it is refused. */
type Overflow = 'wait' | 'evict-oldest' | 'drop-new' | 'refuse'

const OVERFLOW: Readonly<Record<BackpressureStrategy, Overflow>> = Object.freeze({
  block: 'wait',
  'drop-oldest': 'evict-oldest',
  'drop-newest': 'drop-new',
  reject: 'refuse',
})

/**
 * Applies a strategy.
 *
 * @param canEvict - whether the item fits once everything that is not under way is gone. Evicting without that
 *   would give up events and still not make room.
 */
function overflowOf(strategy: BackpressureStrategy, canEvict: boolean): Overflow {
  const overflow = OVERFLOW[strategy]
  return overflow === 'evict-oldest' && !canEvict ? 'drop-new' : overflow
}

/** An item with the bytes it was counted with. */
export interface Entry<T> {
  readonly item: T
  readonly bytes: number
}

/**
 * First in, first out, in two parts.
 *
 * ```
 *   commit ◄── [ reserved ] ◄── reserve ── [ unreserved ] ◄── push
 *                     └──── release ────────►   │ shift, remove
 * ```
 *
 * Everything but `remove`, `release`, `clear` and what is given a rank is O(1).
 */
class TwoPartRing<T> {
  readonly #reserved = new Denque<Entry<T>>()
  readonly #unreserved = new Denque<Entry<T>>()
  #bytes = 0
  #reservedBytes = 0

  get size(): number {
    return this.#reserved.length + this.#unreserved.length
  }

  get bytes(): number {
    return this.#bytes
  }

  get reserved(): number {
    return this.#reserved.length
  }

  get reservedBytes(): number {
    return this.#reservedBytes
  }

  push(entry: Entry<T>): void {
    this.#unreserved.push(entry)
    this.#bytes += entry.bytes
  }

  /** The oldest unreserved entry leaves. */
  shift(): Entry<T> | undefined {
    const entry = this.#unreserved.shift()
    if (entry !== undefined) this.#bytes -= entry.bytes
    return entry
  }

  /** The oldest unreserved entry, or with a rank the oldest of those of the highest, which stays. */
  peek(rank?: (item: T) => number): Entry<T> | undefined {
    if (rank === undefined) return this.#unreserved.peekFront()
    return this.#unreserved.peekAt(this.#highest(rank))
  }

  /** The entry that {@link peek} gives becomes the newest reserved one. */
  reserve(rank?: (item: T) => number): Entry<T> | undefined {
    const entry =
      rank === undefined
        ? this.#unreserved.shift()
        : this.#unreserved.removeOne(this.#highest(rank))
    if (entry === undefined) return undefined
    this.#reserved.push(entry)
    this.#reservedBytes += entry.bytes
    return entry
  }

  /** The oldest reserved entry leaves. */
  commit(): Entry<T> | undefined {
    const entry = this.#reserved.shift()
    if (entry === undefined) return undefined
    this.#reservedBytes -= entry.bytes
    this.#bytes -= entry.bytes
    return entry
  }

  /** All reserved entries go back to the head of the unreserved, in their order. */
  release(): void {
    for (let entry = this.#reserved.pop(); entry !== undefined; entry = this.#reserved.pop()) {
      this.#unreserved.unshift(entry)
    }
    this.#reservedBytes = 0
  }

  /** Takes out an unreserved entry. Searches from the oldest, so it costs as much as its place is far. */
  remove(item: T): boolean {
    for (let i = 0; i < this.#unreserved.length; i++) {
      const entry = this.#unreserved.peekAt(i)
      if (entry?.item !== item) continue
      this.#unreserved.removeOne(i)
      this.#bytes -= entry.bytes
      return true
    }
    return false
  }

  /** The items as they are now, reserved first. */
  items(): T[] {
    const items: T[] = []
    for (const ring of [this.#reserved, this.#unreserved]) {
      for (let i = 0; i < ring.length; i++) {
        const entry = ring.peekAt(i)
        if (entry !== undefined) items.push(entry.item)
      }
    }
    return items
  }

  #highest(rank: (item: T) => number): number {
    let at = 0
    let highest = -Infinity
    for (let i = 0; i < this.#unreserved.length; i++) {
      const entry = this.#unreserved.peekAt(i)
      const own = entry === undefined ? -Infinity : rank(entry.item)
      // What is no number is no reason to go first.
      if (!(own > highest)) continue
      highest = own
      at = i
    }
    return at
  }

  clear(): void {
    this.#reserved.clear()
    this.#unreserved.clear()
    this.#bytes = 0
    this.#reservedBytes = 0
  }
}
