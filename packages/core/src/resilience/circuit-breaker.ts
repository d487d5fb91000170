/** The circuit-breaker port: what a transport needs of a breaker, whichever library stands behind it. */
import type { BreakerStateName } from '../contract/transport.ts'

/** When a circuit breaker opens, for how long it refuses calls, and when it closes again. It delays no attempt to connect. */
export interface BreakerOptions {
  /** Failures in a row that open it, an integer ≥ 1. @default 5 */
  readonly failureThreshold?: number | undefined
  /** Milliseconds after which it is half-open, unless an attempt to connect makes it so before. @default 60_000 */
  readonly openMs?: number | undefined
  /** Successes in a row, from half-open on, that close it, an integer ≥ 1. @default 2 */
  readonly successThreshold?: number | undefined
}

/** The state and the counters of a circuit breaker. */
export interface BreakerStats {
  readonly state: BreakerStateName
  /** Failures in a row. */
  readonly failures: number
  /** Successes in a row since it was open. */
  readonly successes: number
  /** Attempts that were made, and calls that were rejected. */
  readonly total: number
  /** Calls rejected because it was open. */
  readonly rejected: number
  /** Wall clock, milliseconds since 1970. */
  readonly lastFailureAt: number | undefined
}

/** Says whether what is called keeps failing, and refuses calls then. */
export interface CircuitBreaker {
  readonly state: BreakerStateName
  stats(): BreakerStats
  /** Opens it by hand. */
  trip(): void
  /** Closes it by hand and clears the counters. */
  reset(): void
}
