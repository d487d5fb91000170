/** The chores: what a hub looks after from time to time, because nothing that comes in would set it off. */
import type { Clock, Timer } from '@bus/core'

/** How often, at most and at least. */
const PERIOD_MS = { min: 5, max: 1_000 }

/** Runs something again and again until it is stopped. */
export class Chores {
  readonly #clock: Clock
  readonly #run: (now: number) => void
  readonly #periodMs: number
  #timer: Timer | undefined

  /** @param shortestMs - the shortest time that anything is allowed; it is looked after four times within it */
  constructor(clock: Clock, shortestMs: number, run: (now: number) => void) {
    this.#clock = clock
    this.#run = run
    this.#periodMs = Math.min(PERIOD_MS.max, Math.max(PERIOD_MS.min, shortestMs / 4))
    this.#arm()
  }

  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#arm()
      this.#run(this.#clock.now())
    }, this.#periodMs)
    // A hub that is attached to somebody else's server must not keep the process alive by itself.
    this.#timer.unref?.()
  }
}
