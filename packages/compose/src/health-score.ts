/** The health score: how fit a member of a pool is for the next event, as one number. */
import type { Pressure } from '@bus/core'

/** What the score of a member that is ready is made of. */
export interface HealthFacts {
  /** Events that it has taken and not sent, or not confirmed, yet. */
  readonly pending: number
  /** Milliseconds that 99 % of its publishes took at most; 0 while nothing was measured. */
  readonly p99Ms: number
  /** Failures that still count. */
  readonly errors: number
  /** How full its queue is. */
  readonly pressure: Pressure
}

const PENDING = { each: 10, most: 40 } as const
const LATENCY = { msPerPoint: 25, most: 30 } as const
const ERRORS = { each: 15, most: 20 } as const
const PRESSURE: Readonly<Record<Pressure, number>> = { none: 0, low: 3, medium: 6, high: 10 }

/**
 * 100 for a member that is idle and flawless, and never below 0.
 *
 * Ten points less for each pending event, at most 40; one for each full 25 ms of p99, at most 30; fifteen for each error,
 * at most 20; and 3, 6 or 10 for a queue that fills up.
 */
export function healthScore(facts: HealthFacts): number {
  const pending = Math.min(facts.pending * PENDING.each, PENDING.most)
  const latency = Math.min(Math.floor(facts.p99Ms / LATENCY.msPerPoint), LATENCY.most)
  const errors = Math.min(facts.errors * ERRORS.each, ERRORS.most)
  return Math.max(0, 100 - pending - latency - errors - PRESSURE[facts.pressure])
}
