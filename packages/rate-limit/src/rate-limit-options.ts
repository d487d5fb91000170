/** The options of a rate limit: how much may be done, and what becomes of the rest. */
import { checkOptions, func, integer, number, oneOf, type Shape } from '@bus/core/kit'
import { bucketShape, type TokenBucketOptions } from './token-bucket.ts'

/** What a rate limit does: what the tokens say, or, for tests, the same whatever they say. */
export type RateLimitMode = 'normal' | 'always-allow' | 'always-queue' | 'always-reject'

/** How much may be done, and what becomes of what may not be done yet. */
export interface RateLimitOptions<T = unknown> extends Omit<TokenBucketOptions<T>, 'clock'> {
  /** What becomes of something for which there are no tokens: it waits for them, or is refused with `RateLimitError`. @default 'queue' */
  readonly onLimit?: 'queue' | 'reject'
  /**
   * How many may wait for tokens before one more is refused: an integer ≥ 1 or `Infinity`. @default 100; in a
   * transport, as many as its queue takes
   */
  readonly maxQueue?: number
  /** What goes first among those that wait: the greater number; among equals, who came first. @default 0 for each */
  readonly priority?: (item: T) => number
  /**
   * For tests: `always-allow` never limits, `always-queue` makes everything wait for the next interval, `always-reject`
   * refuses everything. @default 'normal'
   */
  readonly mode?: RateLimitMode
}

/** With every default filled in. */
export interface ResolvedRateLimit<T = unknown> extends Required<
  Omit<RateLimitOptions<T>, 'cost' | 'priority'>
> {
  readonly cost: ((item: T) => number) | undefined
  readonly priority: ((item: T) => number) | undefined
}

const SHAPE: Shape<RateLimitOptions> = Object.freeze({
  ...bucketShape,
  onLimit: oneOf(['queue', 'reject']),
  maxQueue: integer({ min: 1, allowInfinity: true }),
  priority: func,
  mode: oneOf(['normal', 'always-allow', 'always-queue', 'always-reject']),
})

/** Accepts a priority. */
export const checkPriority: (path: string, value: unknown) => void = number()

/**
 * The options with their defaults, checked and frozen; the caller's object is only read.
 *
 * @param path - what the limit is part of, dotted; empty where it stands alone
 * @param maxQueue - how many may wait when nothing is said about it
 * @throws `ConfigError` naming the option
 */
export function resolveRateLimitOptions<T>(
  options: RateLimitOptions<T>,
  path: string = '',
  maxQueue: number = 100,
): ResolvedRateLimit<T> {
  checkOptions(path, options, SHAPE)
  return Object.freeze({
    capacity: options.capacity,
    refill: options.refill ?? options.capacity,
    intervalMs: options.intervalMs ?? 1_000,
    cost: options.cost,
    onLimit: options.onLimit ?? 'queue',
    maxQueue: options.maxQueue ?? maxQueue,
    priority: options.priority,
    mode: options.mode ?? 'normal',
  })
}
