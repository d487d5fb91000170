/** Waits for capacity in an outgoing buffer that has no event for it. */
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Bytes that a peer without backpressure of its own may hold unsent. */
export const HIGH_WATER_MARK = 1_048_576

/** Resolves once less than the high-water mark is buffered. */
export async function untilBelowMark(bufferedBytes: () => number): Promise<void> {
  while (bufferedBytes() >= HIGH_WATER_MARK) await nextTurn()
}
