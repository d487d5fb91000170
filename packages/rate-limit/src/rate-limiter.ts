/** The rate limiter: a token bucket, a queue for what has to wait for tokens, and a rule for when it is full. */
import { AbortedError, ClosedError, RateLimitError, type BusError, type Pressure } from '@bus/core'
import { check, checkOptions, systemClock, AbortWatch, pressureOf, type Shape } from '@bus/core/kit'
import type { Permit } from './permit.ts'
import { PermitQueue } from './permit-queue.ts'
import {
  TokenBucket,
  bucketShape,
  checkCost,
  numberFor,
  type TokenBucketOptions,
} from './token-bucket.ts'

/** What a rate limit does: what the tokens say, or, for tests, the same whatever they say. */
export type RateLimitMode = 'normal' | 'always-allow' | 'always-queue' | 'always-reject'

/** How much may be done, and what happens to what may not be done yet. */
export interface RateLimiterOptions<T = unknown> extends TokenBucketOptions<T> {
  /** What happens to an item for which there are no tokens: it waits for them, or is refused with `RateLimitError`. @default 'queue' */
  readonly onLimit?: 'queue' | 'reject' | undefined
  /**
   * How many may wait for tokens before one more is refused: an integer ≥ 1 or `Infinity`. @default 100 for `acquire`; events of
   * a transport wait in its outbox, whose capacity bounds them
   */
  readonly maxQueue?: number | undefined
  /** What goes first among those that wait: the greater number; among equals, the first that came. @default 0 for each */
  readonly priority?: ((item: T) => number) | undefined
  /**
   * For tests: `always-allow` never limits, `always-queue` makes everything wait for the next interval, `always-reject`
   * refuses everything. @default 'normal'
   */
  readonly mode?: RateLimitMode | undefined
}

/** How urgent a call is, and what ends its wait. */
export interface AcquireOptions {
  /** Ends the wait with `AbortedError`. */
  readonly signal?: AbortSignal | undefined
  /** The greater goes first; among equals, the first that came. @default 0 */
  readonly priority?: number | undefined
}

const SHAPE: Shape<RateLimiterOptions> = Object.freeze({
  ...bucketShape,
  onLimit: check.oneOf(['queue', 'reject']),
  maxQueue: check.integer({ min: 1, allowInfinity: true }),
  priority: check.func,
  mode: check.oneOf(['normal', 'always-allow', 'always-queue', 'always-reject']),
  clock: check.withMethods('now', 'setTimeout', 'clearTimeout'),
})

const checkPriority: (path: string, value: unknown) => void = check.number()

/** How many calls of `acquire` wait where `maxQueue` is not given. */
const DEFAULT_QUEUE = 100

interface Pending {
  readonly permit: Permit
  readonly reject: (error: BusError) => void
}

/**
 * Lets as much through as its tokens allow. What waits gets them in the order of priority, then of arrival; nothing
 * overtakes the queue. There is a timer only while something waits.
 *
 * It is the `admission` of a WebSocket transport, or stands alone. Several transports may share one.
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
  readonly #bucket: TokenBucket<T>
  readonly #queue: PermitQueue
  readonly #signals: AbortWatch<Pending>
  readonly #onLimit: 'queue' | 'reject'
  readonly #maxQueue: number | undefined
  readonly #priority: ((item: T) => number) | undefined
  readonly #mode: RateLimitMode

  /** @throws `ConfigError` naming the option */
  constructor(options: RateLimiterOptions<T>) {
    checkOptions<RateLimiterOptions>('', options, SHAPE)
    const { capacity, refill, intervalMs, cost, clock = systemClock } = options
    this.#onLimit = options.onLimit ?? 'queue'
    this.#maxQueue = options.maxQueue
    this.#priority = options.priority
    this.#mode = options.mode ?? 'normal'
    this.#bucket = new TokenBucket<T>({ capacity, refill, intervalMs, cost, clock })
    this.#queue = new PermitQueue(this.#bucket, clock, this.#mode === 'always-queue')
    this.#signals = new AbortWatch(({ permit, reject }, signal) => {
      permit.cancel()
      reject(new AbortedError('Waiting for the rate limit', { cause: signal.reason }))
    })
  }

  /** Tokens that are there now. */
  get tokens(): number {
    return this.#bucket.tokens
  }

  /** How many wait for tokens. */
  get waiting(): number {
    return this.#queue.waiting
  }

  /** Whether some items go before others that came first. */
  get hasPriorities(): boolean {
    return this.#priority !== undefined
  }

  /** How close it is to refusing: how full its queue is, or, where nothing may wait, how empty the bucket. */
  get pressure(): Pressure {
    return pressureOf(
      this.#onLimit === 'queue'
        ? this.waiting / (this.#maxQueue ?? DEFAULT_QUEUE)
        : 1 - this.tokens / this.#bucket.capacity,
    )
  }

  /** Milliseconds after which an item that costs one token, if it came now, would get through; 0: at once. */
  get suggestedDelayMs(): number {
    const cost = this.#mode === 'always-allow' ? 0 : Math.min(1, this.#bucket.capacity)
    return this.#queue.expectedMs(cost)
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
      const permit = this.#issue(cost, priority, this.#maxQueue ?? DEFAULT_QUEUE)
      const pending = { permit, reject }
      const end = (): void => {
        if (signal !== undefined) this.#signals.delete(signal, pending)
        permit.spend()
      }
      const ready = (): void => {
        end()
        resolve()
      }
      const failed = (error: BusError): void => {
        end()
        reject(error)
      }
      if (permit.redeem(ready, failed)) ready()
      else if (signal !== undefined) this.#signals.add(signal, pending)
    })
  }

  /**
   * Takes this many tokens if none waits and they are there; `false`: none was taken.
   * @throws `RateLimitError` for what costs more than the capacity
   */
  tryAcquire(cost: number = 1): boolean {
    checkCost('cost', cost)
    if (this.#mode === 'always-allow') return true
    this.#refuseIfTooExpensive(cost)
    if (this.#mode !== 'normal' || this.#queue.closed !== undefined) return false
    return this.#queue.expectedMs(cost) === 0 && this.#bucket.tryAcquire(cost)
  }

  /**
   * A permit for the item, for what `cost` and `priority` say of it. The caller keeps the items and bounds them;
   * `maxQueue` holds where it is given.
   *
   * @throws `RateLimitError` when it may not even wait
   */
  admit(item: T): Permit {
    const cost = this.#bucket.costOf(item)
    const priority =
      this.#priority === undefined ? 0 : numberFor('priority', this.#priority, item, checkPriority)
    return this.#issue(cost, priority, this.#maxQueue ?? Infinity)
  }

  /** Rejects everything that waits, and everything that comes. Leaves no timer. Idempotent. */
  close(error: BusError = new ClosedError('The rate limiter is closed')): void {
    this.#queue.close(error)
  }

  #issue(cost: number, priority: number, maxQueue: number): Permit {
    const { closed } = this.#queue
    if (closed !== undefined) throw closed
    if (this.#mode === 'always-reject') throw limited(cost, this.#bucket.intervalMs)
    const price = this.#mode === 'always-allow' ? 0 : cost
    this.#refuseIfTooExpensive(price)
    this.#refuseIfLimited(price, maxQueue)
    return this.#queue.issue(price, priority)
  }

  #refuseIfTooExpensive(cost: number): void {
    const { capacity } = this.#bucket
    if (cost <= capacity) return
    const message = `It costs ${cost} tokens, and there are never more than ${capacity}`
    throw new RateLimitError(message, { reason: 'too-expensive', cost, retryAfterMs: Infinity })
  }

  #refuseIfLimited(cost: number, maxQueue: number): void {
    const retryAfterMs = this.#queue.expectedMs(cost)
    if (retryAfterMs === 0) return
    const mayWait = this.#onLimit === 'queue' || this.#mode === 'always-queue'
    if (!mayWait || retryAfterMs === Infinity) throw limited(cost, retryAfterMs)
    if (this.waiting < maxQueue) return
    const message = `There are no tokens for it, and ${maxQueue} wait for some already`
    throw new RateLimitError(message, { reason: 'queue-full', cost, retryAfterMs })
  }
}

function limited(cost: number, retryAfterMs: number): RateLimitError {
  const when = retryAfterMs === Infinity ? 'and there will be none' : `for ${retryAfterMs} ms`
  const message = `There are no tokens for it ${when}`
  return new RateLimitError(message, { reason: 'limited', cost, retryAfterMs })
}
