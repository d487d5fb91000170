/** A clock that moves only when a test says so. */
import type { Clock, Timer } from '@bus/core'

interface Entry extends Timer {
  readonly at: number
  readonly run: () => void
}

/** Timers fire in the order of their deadlines, each at its own moment unless the clock is stalled. */
export class FakeClock implements Clock {
  #now: number
  readonly #timers = new Set<Entry>()

  constructor(start = 1_000) {
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  setTimeout(run: () => void, ms: number): Timer {
    const entry: Entry = { at: this.#now + Math.max(ms, 0), run }
    this.#timers.add(entry)
    return entry
  }

  clearTimeout(timer: Timer): void {
    this.#timers.delete(timer as Entry)
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size
  }

  /** Lets time pass; timers fire when it is their turn. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (let next = this.#due(end); next !== undefined; next = this.#due(end)) {
      this.#now = Math.max(this.#now, next.at)
      this.#fire(next)
    }
    this.#now = end
  }

  /** Lets time pass without a turn of the event loop: timers that became due fire late, at the end. */
  stall(ms: number): void {
    this.#now += ms
    for (let next = this.#due(this.#now); next !== undefined; next = this.#due(this.#now)) {
      this.#fire(next)
    }
  }

  #fire(entry: Entry): void {
    this.#timers.delete(entry)
    entry.run()
  }

  #due(end: number): Entry | undefined {
    let first: Entry | undefined
    for (const entry of this.#timers) {
      if (entry.at <= end && (first === undefined || entry.at < first.at)) first = entry
    }
    return first
  }
}
