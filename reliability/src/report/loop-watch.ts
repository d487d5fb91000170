/** Watches the event loop of a process: for how long nothing else could run. */
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'

/** Milliseconds between two looks. */
const TICK_MS = 10

/** In milliseconds. */
export interface LoopFigures {
  /** The longest that the process itself kept its loop busy: of each block, no more than the processor time that it took. */
  readonly longestOwnBlockMs: number
  /** The longest delay of the loop, also where the machine gave its time to others. */
  readonly maxDelayMs: number
  readonly p99DelayMs: number
}

/** Runs as long as its process. */
export class LoopWatch {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: TICK_MS })
  #longestMs = 0
  #at = performance.now()
  #cpuMs: number = cpuTimeMs()

  constructor() {
    this.#histogram.enable()
    setInterval(() => this.#tick(), TICK_MS).unref()
  }

  /** Forgets what was so far. */
  reset(): void {
    this.#histogram.reset()
    this.#longestMs = 0
  }

  figures(): LoopFigures {
    const ms = (nanoseconds: number): number => Math.round(nanoseconds / 10_000) / 100
    return {
      longestOwnBlockMs: Math.round(this.#longestMs * 100) / 100,
      maxDelayMs: ms(this.#histogram.max),
      p99DelayMs: ms(this.#histogram.percentile(99)),
    }
  }

  #tick(): void {
    const now = performance.now()
    const cpuMs = cpuTimeMs()
    const own = Math.min(now - this.#at - TICK_MS, cpuMs - this.#cpuMs)
    if (own > this.#longestMs) this.#longestMs = own
    this.#at = now
    this.#cpuMs = cpuMs
  }
}

function cpuTimeMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
