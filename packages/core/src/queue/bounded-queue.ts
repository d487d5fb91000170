/** The bounded queue: every buffer of the bus is one, limited in items and bytes, with a strategy for when it is full. */

import type { Filled } from '../config/options.ts'
import Denque from 'denque'
import type { Clock } from '../contract/clock.ts'
import {
  AbortedError,
  ClosedError,
  ConfigError,
  DroppedError,
  QueueFullError,
  TooLargeError,
  type BusError,
} from '../contract/errors.ts'
import { resolveQueueOptions, type QueueOptions, type QueueStats } from './queue-options.ts'
import { Waiters, type WaitLimits } from './waiters.ts'

/** The result of an offer. `full`: not taken and not counted, the caller may wait with `push`. */
export type OfferResult = 'accepted' | 'dropped' | 'rejected' | 'full' | 'too-large' | 'closed'

/** What a queue calls of its owner. Called when the queue is consistent; must not throw. */
export interface QueueHooks<T> {
  /** Bytes of an item, an integer ≥ 0 that does not change. @default 0 */
  sizeOf?(item: T): number
  /** A strategy gave the item up, an old one or the new one. Its owner settles it here. */
  onDrop?(item: T): void
  /** The fill ratio reached the warning threshold, or fell below three quarters of it again. */
  onLevel?(level: 'high' | 'normal', fillRatio: number): void
}

/** An item with the bytes it was counted with. */
interface Entry<T> {
  readonly item: T
  readonly bytes: number
}

/** The level is normal again only below this share of the threshold, so that a ratio that hovers does not flap. */
const RELEASE = 0.75

/**
 * A first-in first-out queue in two parts. What is under way (reserved) counts towards size and bytes and cannot be
 * dropped, because part of it may have left already; it leaves by `commit`, or waits again.
 *
 * ```
 *   commit ◄── [ reserved ] ◄── reserve ── [ unreserved ] ◄── offer, push
 *                     └──── release, putBack ────►   │ take, remove, drop-oldest
 * ```
 *
 * `received = sent + dropped + rejected + size` is true whenever a hook or a caller can look. Everything but `remove`,
 * `release`, `close` and what is given a rank is O(1).
 */
export class BoundedQueue<T> {
  readonly #options: Filled<QueueOptions>
  readonly #hooks: QueueHooks<T>
  readonly #clock: Clock | undefined
  readonly #reserved = new Denque<Entry<T>>()
  readonly #unreserved = new Denque<Entry<T>>()
  /** Of both parts. */
  #bytes = 0
  #reservedBytes = 0
  /** Only while a caller waits for room. */
  #waiters: Waiters<Entry<T>> | undefined
  #waitingBytes = 0
  #isHigh = false
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
    this.#clock = clock
  }

  /** Items in the queue, with those under way. */
  get size(): number {
    return this.#reserved.length + this.#unreserved.length
  }

  /** Bytes of those. */
  get bytes(): number {
    return this.#bytes
  }

  /** Items under way. */
  get reserved(): number {
    return this.#reserved.length
  }

  /** Callers that wait for room. */
  get waiting(): number {
    return this.#waiters?.size ?? 0
  }

  /** Whether one more item would be taken without waiting, dropping or refusing, if its bytes fit. */
  get hasRoom(): boolean {
    return !this.isClosed && this.#waiters === undefined && this.#fits(1)
  }

  /** The larger of `size / capacity` and `bytes / maxBytes`. */
  get fillRatio(): number {
    return Math.max(this.size / this.#options.capacity, this.#bytes / this.#options.maxBytes)
  }

  get isClosed(): boolean {
    return this.#closeError !== undefined
  }

  /** Takes an item in, or says why not. Never waits. */
  offer(item: T): OfferResult {
    const entry = this.#entry(item)
    if (this.#closeError !== undefined) {
      this.#rejected++
      return 'closed'
    }
    if (entry.bytes > this.#options.maxBytes) {
      this.#rejected++
      return 'too-large'
    }
    // Callers that wait came first, also where this item would fit and that of the first of them does not.
    if (this.#waiters !== undefined || !this.#fits(entry.bytes)) return this.#overflow(entry)
    this.#unreserved.push(entry)
    this.#bytes += entry.bytes
    this.#updateLevel()
    return 'accepted'
  }

  /**
   * Takes an item in; with strategy `block` waits for room, first come first served, behind at most 10,000 others with 64 MiB
   * (or as many as the queue itself takes, where that is more). Rejects with outcome `not-sent`:
   * `AbortedError`, `TimeoutError`, `TooLargeError`, `QueueFullError`, `DroppedError` (after `onDrop`), or the error
   * that was given to {@link close}.
   */
  async push(item: T, limits: WaitLimits = {}): Promise<void> {
    assertTimeout(limits.timeoutMs)
    if (limits.signal?.aborted === true) {
      this.#rejected++
      throw new AbortedError(WAIT, { cause: limits.signal.reason, outcome: 'not-sent' })
    }
    const result = this.offer(item)
    if (result === 'accepted') return
    const entry = this.#entry(item)
    if (result !== 'full') {
      throw this.#closeError ?? refusalError(result, entry.bytes, this.#options.maxBytes)
    }
    this.#assertMayWait(entry.bytes)
    this.#waiters ??= new Waiters({
      what: WAIT,
      timedOut: 'There was no room in the queue',
      onGiveUp: () => this.#onGiveUp(),
      clock: this.#clock,
    })
    this.#waitingBytes += entry.bytes
    try {
      await this.#waiters.join(entry, limits)
    } finally {
      this.#waitingBytes -= entry.bytes
    }
  }

  /** The oldest item that is not under way leaves as sent. */
  take(): T | undefined {
    const entry = this.#unreserved.shift()
    if (entry === undefined) return undefined
    this.#bytes -= entry.bytes
    this.#sent++
    this.#afterLeaving()
    return entry.item
  }

  /** The item that {@link reserve} would give, or without a rank {@link take}. */
  peek(rank?: (item: T) => number): T | undefined {
    const at = rank === undefined ? 0 : this.#highest(rank)
    return this.#unreserved.peekAt(at)?.item
  }

  /**
   * The oldest item that is not under way becomes so. It counts until {@link commit}.
   *
   * @param rank - the greatest goes first, and among equals the oldest; called for every item
   */
  reserve(rank?: (item: T) => number): T | undefined {
    const entry =
      rank === undefined
        ? this.#unreserved.shift()
        : this.#unreserved.removeOne(this.#highest(rank))
    if (entry === undefined) return undefined
    this.#reserved.push(entry)
    this.#reservedBytes += entry.bytes
    return entry.item
  }

  /** The item that was reserved last waits again, at the head: undoes a {@link reserve} without a rank. */
  putBack(): void {
    const entry = this.#reserved.pop()
    if (entry === undefined) return
    this.#reservedBytes -= entry.bytes
    this.#unreserved.unshift(entry)
  }

  /** Everything under way waits again, at the head, in its order. */
  release(): void {
    while (this.#reserved.length > 0) this.putBack()
  }

  /** The oldest item under way leaves as sent. */
  commit(): T | undefined {
    const entry = this.#reserved.shift()
    if (entry === undefined) return undefined
    this.#reservedBytes -= entry.bytes
    this.#bytes -= entry.bytes
    this.#sent++
    this.#afterLeaving()
    return entry.item
  }

  /**
   * Withdraws an item that is not under way; it counts as rejected. Searches from the oldest, so it costs as much as
   * there are items before it. `false`: it is not there.
   */
  remove(item: T): boolean {
    for (let i = 0; i < this.#unreserved.length; i++) {
      const entry = this.#unreserved.peekAt(i)
      if (entry?.item !== item) continue
      this.#unreserved.removeOne(i)
      this.#bytes -= entry.bytes
      this.#rejected++
      this.#afterLeaving()
      return true
    }
    return false
  }

  /**
   * Ends the queue: waiters reject with the error, and what was left is returned, oldest first, counted as dropped.
   * No hook is called. A second call changes nothing and returns nothing.
   */
  close(error: Error): T[] {
    if (this.isClosed) return []
    this.#closeError = error
    const left = [...this]
    this.#reserved.clear()
    this.#unreserved.clear()
    this.#bytes = 0
    this.#reservedBytes = 0
    this.#dropped += left.length
    const waiters = this.#waiters
    this.#waiters = undefined
    this.#rejected += waiters?.rejectAll(error) ?? 0
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
      bytes: this.#bytes,
      capacity: this.#options.capacity,
      maxBytes: this.#options.maxBytes,
      waiting: this.waiting,
      fillRatio: this.fillRatio,
    })
  }

  /** The items as they are now, under way first. Later changes of the queue do not disturb the iteration. */
  [Symbol.iterator](): Iterator<T> {
    const entries = [...this.#reserved.toArray(), ...this.#unreserved.toArray()]
    return entries.map(({ item }) => item).values()
  }

  #entry(item: T): Entry<T> {
    const bytes = this.#hooks.sizeOf?.(item) ?? 0
    // Whole numbers only: sums of fractions drift, and a bound that drifts is none.
    if (Number.isSafeInteger(bytes) && bytes >= 0) return { item, bytes }
    throw new TypeError(`Expected \`sizeOf\` to return an integer ≥ 0, got \`${bytes}\``)
  }

  /** What waits in front of a bounded queue is bounded as well: it is as much memory. */
  #assertMayWait(bytes: number): void {
    const { capacity, maxBytes } = this.#options
    const most = Math.max(MAX_WAITING, capacity === Infinity ? 0 : capacity)
    const mostBytes = Math.max(MAX_WAITING_BYTES, maxBytes === Infinity ? 0 : maxBytes)
    const { waiting } = this
    if (waiting < most && (waiting === 0 || this.#waitingBytes + bytes <= mostBytes)) return
    this.#rejected++
    throw new QueueFullError(
      `The queue is full (capacity ${capacity}), and ${waiting} callers with ${this.#waitingBytes} bytes wait for room already`,
      { outcome: 'not-sent' },
    )
  }

  #fits(bytes: number): boolean {
    const { capacity, maxBytes } = this.#options
    const size = this.#reserved.length + this.#unreserved.length
    return size < capacity && this.#bytes + bytes <= maxBytes
  }

  /** There is no room: the strategy says whether the caller waits, the oldest or the new item goes, or it is refused. */
  #overflow(entry: Entry<T>): OfferResult {
    const { capacity, maxBytes, strategy } = this.#options
    if (strategy === 'block') return 'full'
    if (strategy === 'reject') {
      this.#rejected++
      return 'rejected'
    }
    // Evicting where what is under way leaves too little room would give up events and still not take the new one.
    const canEvict =
      this.#reserved.length < capacity && this.#reservedBytes + entry.bytes <= maxBytes
    if (strategy === 'drop-oldest' && canEvict) {
      this.#evictFor(entry)
      return 'accepted'
    }
    this.#dropped++
    this.#hooks.onDrop?.(entry.item)
    return 'dropped'
  }

  #evictFor(entry: Entry<T>): void {
    const evicted: T[] = []
    while (!this.#fits(entry.bytes)) {
      const oldest = this.#unreserved.shift()
      if (oldest === undefined) break
      this.#bytes -= oldest.bytes
      evicted.push(oldest.item)
    }
    this.#dropped += evicted.length
    this.#unreserved.push(entry)
    this.#bytes += entry.bytes
    // The hooks come last: one that offers again must find its item behind this one.
    this.#updateLevel()
    for (const item of evicted) this.#hooks.onDrop?.(item)
  }

  #onGiveUp(): void {
    this.#rejected++
    // The item of the first waiter may have been too large for the room there is; those behind it may fit.
    this.#afterLeaving()
  }

  #afterLeaving(): void {
    if (this.#waiters !== undefined) this.#admit(this.#waiters)
    this.#updateLevel()
  }

  #admit(waiters: Waiters<Entry<T>>): void {
    for (let next = waiters.first; next !== undefined; next = waiters.first) {
      if (!this.#fits(next.bytes)) return
      this.#unreserved.push(next)
      this.#bytes += next.bytes
      waiters.admit()
    }
    this.#waiters = undefined
  }

  /** Calls the hook where the fill ratio crosses the threshold, or on its way back three quarters of it. */
  #updateLevel(): void {
    const { capacity, maxBytes, warningThreshold } = this.#options
    const size = this.#reserved.length + this.#unreserved.length
    const fillRatio = Math.max(size / capacity, this.#bytes / maxBytes)
    const isHigh = fillRatio >= warningThreshold * (this.#isHigh ? RELEASE : 1)
    if (isHigh === this.#isHigh) return
    this.#isHigh = isHigh
    this.#hooks.onLevel?.(isHigh ? 'high' : 'normal', fillRatio)
  }

  /** Where the item of the highest rank is. */
  #highest(rank: (item: T) => number): number {
    let at = 0
    let highest = -Infinity
    for (let i = 0; i < this.#unreserved.length; i++) {
      const entry = this.#unreserved.peekAt(i)
      const own = entry === undefined ? -Infinity : rank(entry.item)
      // A rank that is no number is no reason to go first.
      if (!(own > highest)) continue
      highest = own
      at = i
    }
    return at
  }
}

/** What a wait for room is called in messages. */
/** Callers that may wait for room, or the capacity where that is more. */
const MAX_WAITING = 10_000
/** Bytes that they may wait with, or `maxBytes` where that is more. One caller may wait whatever its size. */
const MAX_WAITING_BYTES = 64 * 1_048_576

const WAIT = 'The wait for room in the queue'

/** @throws `ConfigError` for a time-out that is not a number of milliseconds. */
function assertTimeout(timeoutMs: number | undefined): void {
  if (timeoutMs === undefined || (typeof timeoutMs === 'number' && timeoutMs >= 0)) return
  throw ConfigError.expected('timeoutMs', 'to be a number of milliseconds ≥ 0', timeoutMs)
}

/** The results of an offer after which the item is not in the queue and will not be. */
export type Refusal = Exclude<OfferResult, 'accepted' | 'full'>

const REFUSALS = Object.freeze({
  dropped: { error: DroppedError, message: 'The queue is full and gave the item up' },
  rejected: { error: QueueFullError, message: 'The queue is full' },
  closed: { error: ClosedError, message: 'The queue is closed' },
})

/** The error that stands for a refusal, with outcome `not-sent`. */
export function refusalError(refusal: Refusal, bytes: number, maxBytes: number): BusError {
  if (refusal === 'too-large') return new TooLargeError('The item', bytes, maxBytes)
  const { error, message } = REFUSALS[refusal]
  return new error(message, { outcome: 'not-sent' })
}
