/** The balance of a token bucket: it refills evenly as time passes, which the caller passes in, so that it needs no clock and no timer. */

/**
 * Starts full, and is never above its capacity.
 *
 * @example
 * ```ts
 * import { TokenBalance, systemClock } from '@bus/core/kit'
 *
 * const balance = new TokenBalance(10, 5, 1_000, systemClock.now())
 * if (balance.take(systemClock.now(), 3)) console.log('now')
 * ```
 */
export class TokenBalance {
  readonly capacity: number
  readonly refill: number
  readonly intervalMs: number
  /** Tokens times milliseconds: whole numbers stay whole however often it is read. */
  #credit: number
  #at: number

  /**
   * @param capacity - tokens that it has at most, and from the start
   * @param refill - tokens that come back in `intervalMs`, evenly
   */
  constructor(capacity: number, refill: number, intervalMs: number, now: number) {
    this.capacity = capacity
    this.refill = refill
    this.intervalMs = intervalMs
    this.#credit = capacity * intervalMs
    this.#at = now
  }

  /** Tokens that are there; below 0 while it is overdrawn. */
  tokens(now: number): number {
    return this.#creditAt(now) / this.intervalMs
  }

  /** Takes this many tokens if they are there. `false`: none was taken. */
  take(now: number, count: number): boolean {
    return this.#spend(now, count, count)
  }

  /** Takes this many tokens if at least one is there; what was missing has to come back first. `false`: none was taken. */
  overdraw(now: number, count: number): boolean {
    return this.#spend(now, count, 1)
  }

  /** Puts tokens back. */
  refund(now: number, count: number): void {
    this.#spend(now, -count, -Infinity)
  }

  /** Milliseconds until this many tokens are there, `ahead` more having been taken before; `Infinity` when they never will be. */
  delayMs(now: number, count: number, ahead: number = 0): number {
    const missing = (count + ahead) * this.intervalMs - this.#creditAt(now)
    if (count > this.capacity) return Infinity
    if (missing <= 0) return 0
    return this.refill === 0 ? Infinity : Math.ceil(missing / this.refill)
  }

  #spend(now: number, count: number, needed: number): boolean {
    const credit = this.#creditAt(now)
    if (credit < needed * this.intervalMs) return false
    this.#credit = Math.min(credit - count * this.intervalMs, this.capacity * this.intervalMs)
    this.#at = Math.max(now, this.#at)
    return true
  }

  #creditAt(now: number): number {
    // A clock that is set back takes nothing away.
    const elapsedMs = Math.max(now - this.#at, 0)
    return Math.min(this.#credit + elapsedMs * this.refill, this.capacity * this.intervalMs)
  }
}
