/** Latencies of the latest measurements: a ring of fixed size, from which percentiles are read. */
import { check } from '../config/checks.ts'

/** What {@link LatencyStats} says at one moment; survives JSON. Milliseconds, absent as long as nothing was measured. */
export interface LatencySummary {
  /** How many were measured since the start, also those that are no longer kept. */
  readonly count: number
  /** The median of those that are kept. */
  readonly p50?: number
  /** Of those that are kept 99 % took at most so long. */
  readonly p99?: number
  /** The latest. */
  readonly last?: number
}

const isSize = check.integer({ min: 1 })

/**
 * Percentiles of the latest latencies. Adding costs one assignment; reading sorts a copy.
 *
 * @example
 * ```ts
 * import { LatencyStats } from '@bus/core/kit'
 *
 * const latency = new LatencyStats(100)
 * for (const ms of [12, 15, 11, 340]) latency.add(ms)
 * console.log(latency.p50, latency.p99) // 12 340
 * ```
 */
export class LatencyStats {
  readonly #ring: Float64Array
  #count = 0
  #last: number | undefined

  /**
   * @param size - how many of the latest are kept, an integer ≥ 1
   * @throws `ConfigError` for another size.
   */
  constructor(size: number = 100) {
    isSize('size', size)
    this.#ring = new Float64Array(size)
  }

  /** How many were added since the start, also those that are no longer kept. */
  get count(): number {
    return this.#count
  }

  /** The latest in milliseconds; `undefined` before the first. */
  get last(): number | undefined {
    return this.#last
  }

  /** The median: the smallest that is not below half of those that are kept. */
  get p50(): number | undefined {
    return this.percentile(50)
  }

  /** The smallest that is not below 99 % of those that are kept. */
  get p99(): number | undefined {
    return this.percentile(99)
  }

  /** Adds milliseconds. What is no number ≥ 0 says nothing and is left out. */
  add(ms: number): void {
    if (!(ms >= 0 && ms < Infinity)) return
    this.#ring[this.#count % this.#ring.length] = ms
    this.#count++
    this.#last = ms
  }

  /**
   * The smallest latency that is not below `percent` % of those that are kept; `undefined` while there is none.
   *
   * @param percent - 0 gives the smallest, 100 the largest; beyond these it is one of the two
   */
  percentile(percent: number): number | undefined {
    const sorted = this.#ring.subarray(0, this.#count).toSorted()
    const rank = Math.ceil((percent / 100) * sorted.length)
    return sorted[Math.min(Math.max(rank, 1), sorted.length) - 1]
  }

  /** All of it as plain data. */
  summary(): LatencySummary {
    const { count, p50, p99, last } = this
    if (p50 === undefined || p99 === undefined || last === undefined) return { count }
    return { count, p50, p99, last }
  }

  /** Forgets everything. */
  reset(): void {
    this.#count = 0
    this.#last = undefined
  }
}
