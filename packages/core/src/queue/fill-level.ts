/** Tells once when a fill ratio crosses its threshold, and once when it is well below again. */
import type { QueueHooks } from './queue-hooks.ts'

/** The level falls back only below this share of the threshold, so that a ratio that hovers does not flap. */
const RELEASE = 0.75

/** An edge detector with hysteresis. */
export class FillLevel {
  readonly #threshold: number
  readonly #hooks: Pick<QueueHooks<never>, 'onLevel'>
  #isHigh = false

  constructor(threshold: number, hooks: Pick<QueueHooks<never>, 'onLevel'>) {
    this.#threshold = threshold
    this.#hooks = hooks
  }

  /** Takes the ratio of now. */
  update(fillRatio: number): void {
    if (this.#isHigh ? fillRatio >= this.#threshold * RELEASE : fillRatio < this.#threshold) return
    this.#isHigh = !this.#isHigh
    this.#hooks.onLevel?.(this.#isHigh ? 'high' : 'normal', fillRatio)
  }
}
