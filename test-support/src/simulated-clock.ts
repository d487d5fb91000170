/** A clock whose time passes when a test says so. */
import { getEventListeners } from 'node:events'
import { vi } from 'vitest'
import type { Clock, Timer } from '@bus/core'

interface Entry {
  readonly at: number
  readonly run: () => void
}

export class SimulatedClock implements Clock {
  /** Every delay that was asked for, in order. */
  readonly delays: number[] = []
  readonly #entries = new Map<Timer, Entry>()
  #now = 0

  now(): number {
    return this.#now
  }

  setTimeout(run: () => void, ms: number): Timer {
    const timer: Timer = {}
    this.delays.push(ms)
    this.#entries.set(timer, { at: this.#now + ms, run })
    return timer
  }

  clearTimeout(timer: Timer): void {
    this.#entries.delete(timer)
  }

  /** How many timers are running. */
  get pending(): number {
    return this.#entries.size
  }

  /** Lets time pass, with every timer that comes due on the way, also those that start meanwhile. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const [due] = [...this.#entries]
        .filter(([, e]) => e.at <= end)
        .toSorted((a, b) => a[1].at - b[1].at)
      if (due === undefined) break
      const [timer, { at, run }] = due
      this.#entries.delete(timer)
      this.#now = at
      run()
    }
    this.#now = end
  }

  /** Resolves when this many timers are running. */
  async untilPending(count: number): Promise<void> {
    await vi.waitUntil(() => this.pending === count, { interval: 1, timeout: 30_000 })
  }
}

/** How many listeners the signal has. */
export function listenersOf(signal: AbortSignal): number {
  return getEventListeners(signal, 'abort').length
}
