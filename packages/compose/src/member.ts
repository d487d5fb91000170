/** A member: one of several transports that act as one, with what is remembered of it. */
import type { Clock, Transport } from '@bus/core'
import { LatencyStats, pressureOf } from '@bus/core/kit'
import { healthScore } from './health-score.ts'

/** More than these change no score. */
const MAX_ERRORS = 16
/** Publishes whose latencies count. */
const LATENCIES = 100
/** How many of them may pass before the percentile is computed anew: sorting for each event would cost too much. */
const STALE_AFTER = 8

/** Belongs to one composition. */
export class Member {
  readonly transport: Transport
  /** Its name among the others: `websocket-2`. */
  readonly name: string
  readonly #clock: Clock
  readonly #errorDecayMs: number
  readonly #latency = new LatencyStats(LATENCIES)
  /** When each failure that may still count happened. */
  #errors: number[] = []
  #p99Ms = 0
  #measuredAt = 0

  constructor(transport: Transport, name: string, clock: Clock, errorDecayMs: number) {
    this.transport = transport
    this.name = name
    this.#clock = clock
    this.#errorDecayMs = errorDecayMs
  }

  get isReady(): boolean {
    return this.transport.status.state === 'ready'
  }

  /** Failures of late: a success clears them, and each counts for `errorDecayMs`. */
  get errors(): number {
    const since = this.#clock.now() - this.#errorDecayMs
    return this.#errors.filter((at) => at > since).length
  }

  /** 0 to 100; `undefined` when it cannot be chosen: it is not ready, or cannot say how it is. */
  score(): number | undefined {
    try {
      if (!this.isReady) return undefined
      const { size, waiting, fillRatio } = this.transport.backpressureStats()
      return healthScore({
        pending: size + waiting,
        p99Ms: this.#p99(),
        errors: this.errors,
        pressure: pressureOf(fillRatio),
      })
    } catch {
      // One that is being made again may not be able to answer: it is not chosen, and that is no error.
      return undefined
    }
  }

  succeeded(ms: number): void {
    this.#errors = []
    this.#latency.add(ms)
  }

  failed(): void {
    this.#errors.push(this.#clock.now())
    if (this.#errors.length > MAX_ERRORS) this.#errors.shift()
  }

  #p99(): number {
    const { count } = this.#latency
    if (count - this.#measuredAt >= STALE_AFTER || count <= STALE_AFTER) {
      this.#p99Ms = this.#latency.p99 ?? 0
      this.#measuredAt = count
    }
    return this.#p99Ms
  }
}
