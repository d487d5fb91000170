/** How long to wait before the next attempt. */
import { check } from '../config/checks.ts'
import { checkOptions, type Check } from '../config/options.ts'
import { MAX_TIMEOUT_MS, type Random } from '../contract/clock.ts'

/** Milliseconds to wait after the `attempt`-th failure in a row (1 is the first). Pure: random comes in. */
export type BackoffPolicy = (attempt: number, random: Random) => number

/**
 * The share of a delay that is left to chance, so that many clients do not come back in the same instant.
 * It only shortens: a delay is drawn between `(1 - share) × delay` and `delay`.
 * `full` is a share of 1, `equal` of 0.5, `none` of 0.
 */
export type Jitter = 'full' | 'equal' | 'none' | number

/** A delay that never changes. */
export interface ConstantBackoffOptions {
  /** Milliseconds before each attempt. */
  readonly delayMs: number
}

/** A delay that grows by the same amount each time. */
export interface LinearBackoffOptions {
  /** Milliseconds before the first attempt. */
  readonly initialMs: number
  /** Milliseconds that each further attempt waits longer. @default `initialMs` */
  readonly stepMs?: number | undefined
  /** Milliseconds that no delay exceeds. */
  readonly maxMs: number
  /** @default 'none' */
  readonly jitter?: Jitter | undefined
}

/** A delay that grows by the same factor each time. */
export interface ExponentialBackoffOptions {
  /** Milliseconds before the first attempt, before jitter. @default 100 */
  readonly initialMs?: number | undefined
  /** Milliseconds that no delay exceeds. @default 30_000 */
  readonly maxMs?: number | undefined
  /** What each delay is multiplied by for the next, a number ≥ 1. @default 2 */
  readonly factor?: number | undefined
  /** @default 'full' */
  readonly jitter?: Jitter | undefined
}

const jitterCheck: Check = check.where(
  "to be 'full', 'equal', 'none' or a number in [0, 1]",
  (value) =>
    value === 'full' ||
    value === 'equal' ||
    value === 'none' ||
    (typeof value === 'number' && value >= 0 && value <= 1),
)

/**
 * Makes backoff policies.
 *
 * @example
 * ```ts
 * import { backoff } from '@bus/core'
 *
 * const policy = backoff.exponential({ initialMs: 250, maxMs: 10_000, jitter: 'none' })
 * console.log(policy(3, Math.random)) // 1000
 * ```
 */
export const backoff: {
  /** The same delay each time. */
  constant(options: ConstantBackoffOptions): BackoffPolicy
  /** `initialMs + stepMs × (attempt - 1)`, at most `maxMs`, then jitter. */
  linear(options: LinearBackoffOptions): BackoffPolicy
  /** `initialMs × factor ^ (attempt - 1)`, at most `maxMs`, then jitter. */
  exponential(options?: ExponentialBackoffOptions): BackoffPolicy
} = Object.freeze({ constant, linear, exponential })

function constant(options: ConstantBackoffOptions): BackoffPolicy {
  checkOptions<ConstantBackoffOptions>('', options, { delayMs: check.required(check.durationMs()) })
  const { delayMs } = options
  return () => delayMs
}

function linear(options: LinearBackoffOptions): BackoffPolicy {
  checkOptions<LinearBackoffOptions>('', options, {
    initialMs: check.required(check.durationMs()),
    stepMs: check.durationMs(),
    maxMs: check.required(check.durationMs()),
    jitter: jitterCheck,
  })
  const { initialMs, stepMs = initialMs, maxMs, jitter = 'none' } = options
  const share = shareOf(jitter)
  return (attempt, random) =>
    jittered(Math.min(maxMs, initialMs + stepMs * stepsBefore(attempt)), share, random)
}

function exponential(options: ExponentialBackoffOptions = {}): BackoffPolicy {
  checkOptions<ExponentialBackoffOptions>('', options, {
    initialMs: check.durationMs(),
    maxMs: check.durationMs(),
    factor: check.number({ min: 1 }),
    jitter: jitterCheck,
  })
  const { initialMs = 100, maxMs = 30_000, factor = 2, jitter = 'full' } = options
  const share = shareOf(jitter)
  return (attempt, random) => {
    // 0 × Infinity is not a number.
    const grown = initialMs === 0 ? 0 : initialMs * factor ** stepsBefore(attempt)
    return jittered(Math.min(maxMs, grown), share, random)
  }
}

/**
 * What a policy says, made safe for a timer: between 0 and 2^31-1 ms.
 * A policy that answers something else than a number is not trusted with the pace: the default exponential one stands in.
 */
export function delayOf(policy: BackoffPolicy, attempt: number, random: Random): number {
  const said: unknown = policy(attempt, random)
  const delay =
    typeof said === 'number' && !Number.isNaN(said) ? said : exponential()(attempt, random)
  return Math.min(Math.max(delay, 0), MAX_TIMEOUT_MS)
}

/** Attempts count from 1; 0 is taken for the first as well. */
function stepsBefore(attempt: number): number {
  return Math.max(0, attempt - 1)
}

/** Drawn after the cap: drawn before it, late attempts would all wait for exactly the cap. */
function jittered(delayMs: number, share: number, random: Random): number {
  return share === 0 ? delayMs : delayMs * (1 - share * (1 - random()))
}

function shareOf(jitter: Jitter): number {
  if (typeof jitter === 'number') return jitter
  return { full: 1, equal: 0.5, none: 0 }[jitter]
}
