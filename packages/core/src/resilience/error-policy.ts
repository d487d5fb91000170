/** What happens next to an event whose handler failed: a decision, without side effects. */
import { check } from '../config/checks.ts'
import { checkOptions, type Shape } from '../config/options.ts'
import type { Random } from '../contract/clock.ts'
import type { DeadLetterPolicy, ErrorPolicy } from '../contract/subscriber.ts'
import { backoff, delayOf, type BackoffPolicy } from './backoff.ts'

/** An error policy with its defaults filled in; frozen. */
export interface ResolvedErrorPolicy {
  readonly strategy: 'drop' | 'dlq' | 'fail' | 'retry'
  /** Attempts in total, the first included. */
  readonly attempts: number
  readonly backoff: BackoffPolicy
  readonly deadLetter: ResolvedDeadLetterPolicy
}

/** The way of a dead letter with its defaults filled in; frozen. */
export interface ResolvedDeadLetterPolicy {
  readonly deliver: DeadLetterPolicy['deliver']
  readonly fallback: 'keep' | 'log' | 'fail' | 'retry'
  /** Deliveries in total, the first included. */
  readonly attempts: number
  readonly backoff: BackoffPolicy
}

/** The failure that a decision is about. */
export interface FailedAttempt {
  /** The try that failed; 1 is the first. */
  readonly attempt: number
  /** What the handler threw, as it threw it. */
  readonly error: unknown
  /** Whether there is a queue of dead letters. */
  readonly hasDeadLetters: boolean
}

/** Try again after a wait, or give the event up in one of three ways. */
export type NextStep =
  | { readonly action: 'retry'; readonly delayMs: number }
  | { readonly action: 'drop' | 'dlq' | 'fail' }

/** Attempts for strategy `retry` where `retry` does not say how many. */
const DEFAULT_ATTEMPTS = 4

const RETRY: Shape<NonNullable<ErrorPolicy['retry']>> = Object.freeze({
  attempts: check.required(check.integer({ min: 1, allowInfinity: true })),
  backoff: check.func,
})

/**
 * The policy with its defaults.
 *
 * @throws `ConfigError` below `path` for anything that is not a policy.
 */
export function resolveErrorPolicy(
  policy: ErrorPolicy | undefined,
  path = 'errorPolicy',
): ResolvedErrorPolicy {
  checkOptions<ErrorPolicy>(path, policy, {
    strategy: check.oneOf(['drop', 'dlq', 'fail', 'retry']),
    retry: check.object(RETRY),
    deadLetter: check.object<DeadLetterPolicy>({
      deliver: check.func,
      fallback: check.oneOf(['keep', 'log', 'fail', 'retry']),
      retry: check.object(RETRY),
    }),
  })
  const { strategy = 'dlq', retry, deadLetter = {} } = policy ?? {}
  const { fallback = 'keep' } = deadLetter
  return Object.freeze({
    strategy,
    ...resolveRetry(retry, strategy === 'retry'),
    deadLetter: Object.freeze({
      deliver: deadLetter.deliver,
      fallback,
      ...resolveRetry(deadLetter.retry, fallback === 'retry'),
    }),
  })
}

function resolveRetry(
  retry: ErrorPolicy['retry'],
  isRetrying: boolean,
): Pick<ResolvedErrorPolicy, 'attempts' | 'backoff'> {
  return {
    attempts: retry?.attempts ?? (isRetrying ? DEFAULT_ATTEMPTS : 1),
    backoff: retry?.backoff ?? backoff.exponential({ initialMs: 100, maxMs: 10_000 }),
  }
}

/** Decides: retries come before the strategy, and an error with `retryable: false` skips them. */
export function nextStep(
  policy: ResolvedErrorPolicy,
  failure: FailedAttempt,
  random: Random,
): NextStep {
  const { attempt, error, hasDeadLetters } = failure
  if (attempt < policy.attempts && !isPermanent(error)) {
    return { action: 'retry', delayMs: delayOf(policy.backoff, attempt, random) }
  }
  if (policy.strategy === 'drop' || policy.strategy === 'fail') return { action: policy.strategy }
  return { action: hasDeadLetters || policy.deadLetter.deliver !== undefined ? 'dlq' : 'drop' }
}

/** Only an explicit `false` counts: errors of others do not carry the flag. */
function isPermanent(error: unknown): boolean {
  return (error as { readonly retryable?: unknown } | null | undefined)?.retryable === false
}
