/** How large a queue may grow, and what it does when it is full. */

import { check } from '../config/checks.ts'
import { checkOptions, type Filled, type Shape } from '../config/options.ts'

/**
 * What a full queue does with one more item.
 * - `block`: the caller waits for room, first come first served. At most 10,000 wait, with 64 MiB together, or as many as the
 *   queue itself takes where that is more; beyond, a call fails with `QueueFullError` at once.
 * - `drop-oldest`: the oldest that is not under way makes room; its publish rejects.
 * - `drop-newest`: the new one is given up; its publish rejects.
 * - `reject`: the new one is refused.
 */
export type BackpressureStrategy = 'block' | 'drop-oldest' | 'drop-newest' | 'reject'

/** Every backpressure strategy, the default first. */
export const BACKPRESSURE_STRATEGIES: readonly BackpressureStrategy[] = Object.freeze([
  'block',
  'drop-oldest',
  'drop-newest',
  'reject',
])

/** The limits of a queue and what it does at them. */
export interface QueueOptions {
  /** The most items, an integer ≥ 1. `Infinity` only when given. @default 1_000 */
  readonly capacity?: number | undefined
  /** The most bytes, an integer ≥ 1. @default Infinity */
  readonly maxBytes?: number | undefined
  /** @default 'block' */
  readonly strategy?: BackpressureStrategy | undefined
  /** The fill ratio in (0, 1] at which `backpressure` is reported, once per crossing. @default 0.8 */
  readonly warningThreshold?: number | undefined
}

/** They add up: `received = sent + dropped + rejected + size`. */
export interface QueueStats {
  /** Every item that was offered and decided on. */
  readonly received: number
  /** Left the queue the way it should. */
  readonly sent: number
  /** Given up by a drop strategy, or left behind at close. */
  readonly dropped: number
  /** Refused: strategy `reject`, too large, aborted before it was sent. */
  readonly rejected: number
  /** In the queue now, with those that are under way. */
  readonly size: number
  /** Bytes of those. */
  readonly bytes: number
  /** The most items. */
  readonly capacity: number
  /** The most bytes. */
  readonly maxBytes: number
  /** Callers that wait for room (strategy `block`). They are not yet `received`. */
  readonly waiting: number
  /** The larger of `size / capacity` and `bytes / maxBytes`; 0 where both are unbounded. */
  readonly fillRatio: number
}

/** What a queue does by default. */
const QUEUE_DEFAULTS: Filled<QueueOptions> = Object.freeze({
  capacity: 1_000,
  maxBytes: Infinity,
  strategy: 'block',
  warningThreshold: 0.8,
})

/** What each option of a queue accepts. */
const QUEUE_SHAPE: Shape<QueueOptions> = Object.freeze({
  capacity: check.integer({ min: 1, allowInfinity: true }),
  maxBytes: check.integer({ min: 1, allowInfinity: true }),
  strategy: check.oneOf(BACKPRESSURE_STRATEGIES),
  warningThreshold: check.number({ min: 0, max: 1, exclusiveMin: true }),
})

/**
 * The options with their defaults, checked and frozen; the caller's object is only read.
 *
 * @param path - what the queue is part of, dotted; empty where it stands alone
 * @throws `ConfigError` naming the option
 */
export function resolveQueueOptions(options: QueueOptions = {}, path = ''): Filled<QueueOptions> {
  checkOptions(path, options, QUEUE_SHAPE)
  const {
    capacity = QUEUE_DEFAULTS.capacity,
    maxBytes = QUEUE_DEFAULTS.maxBytes,
    strategy = QUEUE_DEFAULTS.strategy,
    warningThreshold = QUEUE_DEFAULTS.warningThreshold,
  } = options
  return Object.freeze({ capacity, maxBytes, strategy, warningThreshold })
}
