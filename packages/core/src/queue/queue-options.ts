/** How large a queue may grow, and what it does when it is full. */

/**
 * What a full queue does with one more item.
 * - `block`: the caller waits for room, first come first served.
 * - `drop-oldest`: the oldest that is not under way makes room; its caller is told.
 * - `drop-newest`: the new one is given up; its caller is told.
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
  /** The most items, an integer ≥ 1. `Infinity` only when asked for. @default 1_000 */
  readonly capacity?: number
  /** The most bytes, an integer ≥ 1. @default Infinity */
  readonly maxBytes?: number
  /** @default 'block' */
  readonly strategy?: BackpressureStrategy
  /** The fill ratio in (0, 1] at which `backpressure` is told, once per crossing. @default 0.8 */
  readonly warningThreshold?: number
}
