/** A rate: how much may be used in a second, with a second's worth at once. */

/** A bucket that fills steadily. */
export class Rate {
  readonly #perSecond: number
  #tokens: number
  #at: number

  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond
    this.#tokens = this.#capacity
    this.#at = now
  }

  /** Takes one, or as many; `false` when there is none. What is more than there is has to be made up for first. */
  take(now: number, count = 1): boolean {
    if (this.#perSecond === Infinity) return true
    this.#fill(now)
    if (this.#tokens < 1) return false
    this.#tokens -= count
    return true
  }

  /** Milliseconds until there is one. */
  waitMs(now: number): number {
    if (this.#perSecond === Infinity) return 0
    this.#fill(now)
    return Math.max(0, Math.ceil(((1 - this.#tokens) / this.#perSecond) * 1_000))
  }

  /** Whether nothing was used for so long that all of it is there again. */
  isFull(now: number): boolean {
    if (this.#perSecond === Infinity) return true
    this.#fill(now)
    return this.#tokens >= this.#capacity
  }

  get #capacity(): number {
    return Math.max(1, this.#perSecond)
  }

  #fill(now: number): void {
    const gained = ((now - this.#at) / 1_000) * this.#perSecond
    this.#tokens = Math.min(this.#capacity, this.#tokens + gained)
    this.#at = now
  }
}
