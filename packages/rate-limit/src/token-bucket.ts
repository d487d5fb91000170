/** The token bucket: how much may be done now, what an item costs, and when there is more. */
import { ConfigError, RateLimitError, type Clock } from '@bus/core'
import { TokenBalance, check, checkOptions, systemClock, type Shape } from '@bus/core/kit'

/** How much a bucket holds, how fast it fills, and what things cost. */
export interface TokenBucketOptions<T = unknown> {
  /** Tokens that the bucket holds at most, and from the start: a number > 0. It is how much may be done in one burst. */
  readonly capacity: number
  /** Tokens that come back in `intervalMs`, evenly: a number ≥ 0, where 0 means none ever. @default capacity */
  readonly refill?: number | undefined
  /** Milliseconds in which `refill` tokens come back. @default 1_000 */
  readonly intervalMs?: number | undefined
  /** Tokens that an item costs: a number ≥ 0. @default 1 for each */
  readonly cost?: ((item: T) => number) | undefined
  /** @default the clock of the machine */
  readonly clock?: Clock | undefined
}

/** One check for each option but the clock. */
export const bucketShape: Shape<Omit<TokenBucketOptions, 'clock'>> = Object.freeze({
  capacity: check.required(check.number({ min: 0, exclusiveMin: true })),
  refill: check.number({ min: 0 }),
  intervalMs: check.durationMs({ min: 1 }),
  cost: check.func,
})

const SHAPE: Shape<TokenBucketOptions> = Object.freeze({
  ...bucketShape,
  clock: check.withMethods('now', 'setTimeout', 'clearTimeout'),
})

/** Accepts a number of tokens. */
export const checkCost: (path: string, value: unknown) => void = check.number({ min: 0 })

/**
 * Starts full, and is never above its capacity nor below zero. What it holds follows from the time that has passed, so
 * it needs no timer.
 *
 * @example
 * ```ts
 * import { TokenBucket } from '@bus/rate-limit'
 *
 * const bucket = new TokenBucket({ capacity: 10, refill: 5, intervalMs: 1_000 })
 * if (bucket.tryAcquire(3)) console.log('now')
 * else console.log(`in ${bucket.delayMs(3)} ms`)
 * ```
 */
export class TokenBucket<T = unknown> {
  readonly #cost: ((item: T) => number) | undefined
  readonly #clock: Clock
  readonly #balance: TokenBalance

  /** @throws `ConfigError` naming the option */
  constructor(options: TokenBucketOptions<T>) {
    checkOptions('', options, SHAPE)
    const { capacity, refill = capacity, intervalMs = 1_000, cost, clock = systemClock } = options
    this.#cost = cost
    this.#clock = clock
    this.#balance = new TokenBalance(capacity, refill, intervalMs, clock.now())
  }

  get capacity(): number {
    return this.#balance.capacity
  }

  get refill(): number {
    return this.#balance.refill
  }

  get intervalMs(): number {
    return this.#balance.intervalMs
  }

  /** Tokens that are there now. */
  get tokens(): number {
    return this.#balance.tokens(this.#clock.now())
  }

  /**
   * Tokens that the item costs.
   * @throws `RateLimitError` of reason `invalid-cost` when the function of `cost` throws or returns anything but a number ≥ 0
   */
  costOf(item: T): number {
    return this.#cost === undefined ? 1 : numberFor('cost', this.#cost, item, checkCost)
  }

  /** Takes this many tokens if they are there; `false`: none was taken. @throws `ConfigError` for what is no number ≥ 0 */
  tryAcquire(cost: number = 1): boolean {
    checkCost('cost', cost)
    return this.#balance.take(this.#clock.now(), cost)
  }

  /**
   * Milliseconds until this many tokens are there; `Infinity` when they never will be.
   *
   * @param ahead - tokens that others take before
   */
  delayMs(cost: number = 1, ahead: number = 0): number {
    checkCost('cost', cost)
    return this.#balance.delayMs(this.#clock.now(), cost, ahead)
  }

  /** Puts tokens back that were taken for something that was not done. */
  refund(cost: number): void {
    checkCost('cost', cost)
    this.#balance.refund(this.#clock.now(), cost)
  }
}

/**
 * The number that a function of the user gives an item.
 * @throws `RateLimitError` of reason `invalid-cost` when it throws or returns what the check does not accept
 */
export function numberFor<T>(
  name: 'cost' | 'priority',
  of: (item: T) => number,
  item: T,
  accepts: (path: string, value: unknown) => void,
): number {
  const how = { reason: 'invalid-cost', cost: NaN, retryAfterMs: Infinity } as const
  try {
    const value = of(item)
    accepts(`${name}(item)`, value)
    return value
  } catch (cause) {
    const what = cause instanceof ConfigError ? cause.message : `\`${name}\` threw`
    throw new RateLimitError(`The rate limit cannot judge this: ${what}`, how, { cause })
  }
}
