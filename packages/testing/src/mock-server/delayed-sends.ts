/** What a connection is going to send, held back for a while and let go in order. */
import type { Clock, Timer } from '@bus/core'

interface Delayed {
  readonly due: number
  readonly run: () => void
}

/**
 * Runs each posted send after the delay of its moment, in the order of posting.
 * It is bounded only by what the test sends within one delay.
 */
export class DelayedSends {
  readonly #clock: Clock
  readonly #delayMs: () => number
  #waiting: Delayed[] = []
  #timer: Timer | undefined

  constructor(clock: Clock, delayMs: () => number) {
    this.#clock = clock
    this.#delayMs = delayMs
  }

  /** Runs now if there is no delay and nothing is ahead. */
  post(run: () => void): void {
    const delayMs = this.#delayMs()
    if (delayMs === 0 && this.#waiting.length === 0) return run()
    this.#waiting.push({ due: this.#clock.now() + delayMs, run })
    this.#arm()
  }

  /** Gives up what has not been sent. */
  cancel(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#waiting = []
  }

  #arm(): void {
    const head = this.#waiting[0]
    if (head === undefined || this.#timer !== undefined) return
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined
      this.#waiting.shift()
      head.run()
      this.#arm()
    }, head.due - this.#clock.now())
  }
}
