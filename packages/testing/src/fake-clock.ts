/** A clock whose time passes only when a test advances it. */
import type { Clock, Timer } from '@bus/core'
import { systemClock } from '@bus/core/kit'
import { DEFAULT_WAIT_MS, Waits, type WaitForOptions } from './waits.ts'

interface Entry extends Timer {
  readonly at: number
  readonly run: () => void
}

/**
 * Give it as `clock` to a bus, a transport or a mock server: nothing waits any more, and `advance` lets time pass.
 * Timers fire in the order of their deadlines, each at its own moment.
 *
 * @example
 * ```ts
 * import { sleep } from '@bus/core/kit'
 * import { FakeClock } from '@bus/testing'
 *
 * const clock = new FakeClock()
 * const slept = sleep(60_000, { clock })
 * clock.advance(60_000)
 * await slept
 * ```
 */
export class FakeClock implements Clock {
  readonly #timers = new Set<Entry>()
  readonly #delays: number[] = []
  readonly #waits = new Waits(systemClock)
  #now: number

  /** @param start - what `now` returns before any time has passed */
  constructor(start = 0) {
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  setTimeout(run: () => void, ms: number): Timer {
    const entry: Entry = { at: this.#now + Math.max(ms, 0), run }
    this.#delays.push(ms)
    this.#timers.add(entry)
    this.#waits.notify()
    return entry
  }

  clearTimeout(timer: Timer): void {
    this.#timers.delete(timer as Entry)
    this.#waits.notify()
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.size
  }

  /** Milliseconds until the next timer; `Infinity` where none is set. */
  get nextIn(): number {
    return Math.min(...[...this.#timers].map(({ at }) => at)) - this.#now
  }

  /** The delay of every timer that was set, in order. */
  get delays(): readonly number[] {
    return this.#delays
  }

  /** Lets time pass, with every timer that comes due on the way, also those that are set meanwhile. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (let next = this.#due(end); next !== undefined; next = this.#due(end)) {
      this.#now = Math.max(this.#now, next.at)
      this.#fire(next)
    }
    this.#now = end
  }

  /** Lets time pass, and after each timer lets run what it has set off: promises, and what they wait for. */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.#now + ms
    await eventLoopIteration()
    for (let next = this.#due(end); next !== undefined; next = this.#due(end)) {
      this.#now = Math.max(this.#now, next.at)
      this.#fire(next)
      await eventLoopIteration()
    }
    this.#now = end
  }

  /** Lets time pass as when the process was busy: timers that became due fire late, at the end. */
  stall(ms: number): void {
    this.#now += ms
    for (let next = this.#due(this.#now); next !== undefined; next = this.#due(this.#now)) {
      this.#fire(next)
    }
  }

  /** Resolves when at least so many timers are set, for code that sets them in a later iteration of the event loop. */
  async untilPending(count: number, limits: WaitForOptions = {}): Promise<void> {
    await this.#waits.until(() => (this.#timers.size >= count ? true : undefined), {
      what: `${count} timers`,
      timeoutMs: limits.timeoutMs ?? DEFAULT_WAIT_MS,
      signal: limits.signal,
      details: () => `there are ${this.#timers.size}`,
    })
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

/** One iteration of the event loop, with all promises that settle in it. */
function eventLoopIteration(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
