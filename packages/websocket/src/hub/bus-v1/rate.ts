/** A rate: how many events one connection may publish, with a second's worth at once. */

/** A bucket that fills steadily. */
export class Rate {
  readonly #perSecond: number
  #tokens: number
  #at: number

  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond
    this.#tokens = Math.max(1, perSecond)
    this.#at = now
  }

  /** Takes one; `false` when there is none. */
  take(now: number): boolean {
    if (this.#perSecond === Infinity) return true
    const gained = ((now - this.#at) / 1_000) * this.#perSecond
    this.#tokens = Math.min(Math.max(1, this.#perSecond), this.#tokens + gained)
    this.#at = now
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
