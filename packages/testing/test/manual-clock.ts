/** A clock that a test moves by hand. */
import type { Clock, Timer } from '@bus/core'

interface Entry extends Timer {
  readonly due: number
  readonly run: () => void
}

/** The clock; it stands at 0 until `advance`. */
export class ManualClock implements Clock {
  #now = 0
  #timers: Entry[] = []

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.length
  }

  /** Milliseconds until the next timer. */
  get nextIn(): number {
    return Math.min(...this.#timers.map((timer) => timer.due)) - this.#now
  }

  now(): number {
    return this.#now
  }

  setTimeout(run: () => void, ms: number): Timer {
    const entry: Entry = { due: this.#now + ms, run }
    this.#timers.push(entry)
    return entry
  }

  clearTimeout(timer: Timer): void {
    this.#timers = this.#timers.filter((other) => other !== timer)
  }

  /** Runs what falls due within `ms`, in order. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.due - b.due)[0]
      if (next === undefined || next.due > end) break
      this.clearTimeout(next)
      this.#now = next.due
      next.run()
    }
    this.#now = end
  }
}
