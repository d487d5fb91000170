/** What each backpressure strategy does with an item for which a queue has no room. */
import type { BackpressureStrategy } from './queue-options.ts'

/** Who yields when there is no room: the caller waits, the oldest goes, the new one goes, or it is refused. */
export type Overflow = 'wait' | 'evict-oldest' | 'drop-new' | 'refuse'

const OVERFLOW: Readonly<Record<BackpressureStrategy, Overflow>> = Object.freeze({
  block: 'wait',
  'drop-oldest': 'evict-oldest',
  'drop-newest': 'drop-new',
  reject: 'refuse',
})

/**
 * Applies a strategy.
 *
 * @param canEvict - whether the item fits once everything that is not under way is gone. Evicting without that
 *   would give up events and still not make room.
 */
export function overflowOf(strategy: BackpressureStrategy, canEvict: boolean): Overflow {
  const overflow = OVERFLOW[strategy]
  return overflow === 'evict-oldest' && !canEvict ? 'drop-new' : overflow
}
