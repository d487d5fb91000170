/** The machine's clock, with a count of the timers that run: one that is left after `close` is a leak. */
import type { Clock, Timer } from '@bus/core'
import { systemClock } from '@bus/core/kit'

/** Given to every transport and bus of a case. */
export class CountingClock implements Clock {
  readonly #running = new Set<Timer>()

  /** How many timers were started and have neither fired nor been cleared. */
  get pending(): number {
    return this.#running.size
  }

  now(): number {
    return systemClock.now()
  }

  setTimeout(run: () => void, ms: number): Timer {
    const timer = systemClock.setTimeout(() => {
      this.#running.delete(timer)
      run()
    }, ms)
    this.#running.add(timer)
    return timer
  }

  clearTimeout(timer: Timer): void {
    this.#running.delete(timer)
    systemClock.clearTimeout(timer)
  }
}
