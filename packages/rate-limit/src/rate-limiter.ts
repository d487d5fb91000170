/** The rate limiter: a token bucket with a line in front of it, and a rule for when there are no tokens. */
import {
  AbortedError,
  ClosedError,
  RateLimitError,
  type Clock,
  type BusError,
  type WaitOptions,
  type Pressure,
} from '@bus/core'
import { checkOptions, withMethods, systemClock, AbortWatch, pressureOf } from '@bus/core/kit'
import {
  checkPriority,
  resolveRateLimitOptions,
  type RateLimitOptions,
  type ResolvedRateLimit,
} from './rate-limit-options.ts'
import { RateDesk } from './rate-desk.ts'
import type { RateTicket } from './rate-ticket.ts'
import { TokenBucket, askNumber, checkCost } from './token-bucket.ts'

/** The options of a limiter of its own. */
export interface RateLimiterOptions<T = unknown> extends RateLimitOptions<T> {
  /** @default the clock of the machine */
  readonly clock?: Clock
}

/** How urgent a call is, and what ends its wait. */
export interface AcquireOptions extends WaitOptions {
  /** The greater goes first; among equals, who came first. @default 0 */
  readonly priority?: number
}

interface Pending {
  readonly ticket: RateTicket
  readonly reject: (error: BusError) => void
}

/**
 * Lets as much through as its tokens allow. What waits gets them in the order of priority, then of coming; nobody
 * passes by a line. There is a timer only while somebody waits.
 *
 * @example
 * ```ts
 * import { RateLimiter } from '@bus/rate-limit'
 *
 * const limiter = new RateLimiter({ capacity: 20, refill: 10, intervalMs: 1_000 })
 * await limiter.acquire(5, { priority: 1 })
 * ```
 */
export class RateLimiter<T = unknown> {
  readonly #options: ResolvedRateLimit<T>
  readonly #bucket: TokenBucket<T>
  readonly #desk: RateDesk
  readonly #signals: AbortWatch<Pending>

  /** @throws `ConfigError` naming the option */
  constructor({ clock = systemClock, ...options }: RateLimiterOptions<T>) {
    checkOptions<Pick<RateLimiterOptions, 'clock'>>('', { clock }, { clock: CLOCK })
    this.#options = resolveRateLimitOptions(options)
    const { capacity, refill, intervalMs, cost } = this.#options
    const bucket = { capacity, refill, intervalMs, clock }
    this.#bucket = new TokenBucket<T>(cost === undefined ? bucket : { ...bucket, cost })
    this.#desk = new RateDesk(this.#bucket, clock, this.#options.mode === 'always-queue')
    this.#signals = new AbortWatch(({ ticket, reject }, signal) => {
      ticket.cancel()
      reject(new AbortedError('Waiting for the rate limit', { cause: signal.reason }))
    })
  }

  /** Tokens that are there now. */
  get tokens(): number {
    return this.#bucket.tokens
  }

  /** How many wait for tokens. */
  get waiting(): number {
    return this.#desk.waiting
  }

  /** How close it is to refusing: how full its line is, or, where nothing may wait, how empty the bucket. */
  get pressure(): Pressure {
    const { onLimit, maxQueue, capacity } = this.#options
    return pressureOf(onLimit === 'queue' ? this.waiting / maxQueue : 1 - this.tokens / capacity)
  }

  /** Milliseconds after which something that costs one token, if it came now, would get through; 0: at once. */
  get suggestedDelayMs(): number {
    const cost = this.#options.mode === 'always-allow' ? 0 : Math.min(1, this.#options.capacity)
    return this.#desk.expectedMs(cost)
  }

  /**
   * Resolves when this many tokens were taken.
   *
   * @throws `RateLimitError` at once, when there are none and it may not wait, or they can never be there;
   *   `AbortedError`, `ClosedError`
   */
  acquire(cost: number = 1, options: AcquireOptions = {}): Promise<void> {
    const { signal, priority = 0 } = options
    return new Promise((resolve, reject) => {
      checkCost('cost', cost)
      checkPriority('priority', priority)
      if (signal?.aborted === true) {
        throw new AbortedError('Waiting for the rate limit', { cause: signal.reason })
      }
      const ticket = this.#issue(cost, priority)
      const pending = { ticket, reject }
      const end = (): void => {
        if (signal !== undefined) this.#signals.delete(signal, pending)
        ticket.spend()
      }
      const ready = (): void => {
        end()
        resolve()
      }
      const failed = (error: BusError): void => {
        end()
        reject(error)
      }
      if (ticket.redeem(ready, failed)) ready()
      else if (signal !== undefined) this.#signals.add(signal, pending)
    })
  }

  /**
   * Takes this many tokens if nobody waits and they are there; `false`: none was taken.
   * @throws `RateLimitError` for what costs more than the capacity
   */
  tryAcquire(cost: number = 1): boolean {
    checkCost('cost', cost)
    const { mode } = this.#options
    if (mode === 'always-allow') return true
    this.#refuseIfTooExpensive(cost)
    if (mode !== 'normal' || this.#desk.closed !== undefined) return false
    return this.#desk.expectedMs(cost) === 0 && this.#bucket.tryAcquire(cost)
  }

  /**
   * A ticket for the item, at what `cost` and `priority` say of it.
   * @throws `RateLimitError` when it may not even wait
   */
  admit(item: T): RateTicket {
    const { priority } = this.#options
    const cost = this.#bucket.costOf(item)
    return this.#issue(
      cost,
      priority === undefined ? 0 : askNumber('priority', priority, item, checkPriority),
    )
  }

  /** Rejects everybody who waits, and everybody who comes. Leaves no timer. Idempotent. */
  close(error: BusError = new ClosedError('The rate limiter is closed')): void {
    this.#desk.close(error)
  }

  #issue(cost: number, priority: number): RateTicket {
    const { closed } = this.#desk
    if (closed !== undefined) throw closed
    const { mode, intervalMs } = this.#options
    if (mode === 'always-reject') throw limited(cost, intervalMs)
    const price = mode === 'always-allow' ? 0 : cost
    this.#refuseIfTooExpensive(price)
    this.#refuseIfLimited(price)
    return this.#desk.issue(price, priority)
  }

  #refuseIfTooExpensive(cost: number): void {
    const { capacity } = this.#options
    if (cost <= capacity) return
    const message = `It costs ${cost} tokens, and there are never more than ${capacity}`
    throw new RateLimitError(message, { reason: 'too-expensive', cost, retryAfterMs: Infinity })
  }

  #refuseIfLimited(cost: number): void {
    const { onLimit, maxQueue, mode } = this.#options
    const retryAfterMs = this.#desk.expectedMs(cost)
    if (retryAfterMs === 0) return
    const mayWait = onLimit === 'queue' || mode === 'always-queue'
    if (!mayWait || retryAfterMs === Infinity) throw limited(cost, retryAfterMs)
    if (this.waiting < maxQueue) return
    const message = `There are no tokens for it, and ${maxQueue} wait for some already`
    throw new RateLimitError(message, { reason: 'queue-full', cost, retryAfterMs })
  }
}

const CLOCK = withMethods('now', 'setTimeout', 'clearTimeout')

function limited(cost: number, retryAfterMs: number): RateLimitError {
  const when = retryAfterMs === Infinity ? 'and there will be none' : `for ${retryAfterMs} ms`
  const message = `There are no tokens for it ${when}`
  return new RateLimitError(message, { reason: 'limited', cost, retryAfterMs })
}
