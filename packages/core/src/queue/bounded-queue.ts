/** The bounded queue: every buffer of the bus is one, limited in items and bytes, with a strategy for when it is full. */
import type { Clock } from '../contract/clock.ts'
import { FillLevel } from './fill-level.ts'
import type { OfferResult, QueueHooks } from './queue-hooks.ts'
import type { QueueOptions } from './queue-options.ts'
import type { QueueStats } from './queue-stats.ts'
import { refusalError } from './refusal.ts'
import { resolveQueueOptions } from './resolve-queue-options.ts'
import { overflowOf } from './strategies.ts'
import { TwoPartRing, type Entry } from './two-part-ring.ts'
import { aborted, assertWaitLimits, WaitLine, type WaitLimits } from './wait-line.ts'

export type { OfferResult, QueueHooks } from './queue-hooks.ts'

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
