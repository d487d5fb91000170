/** Ids of events: UUIDs of version 7, which sort by time, from random bytes that are drawn many at a time. */
import { randomFillSync } from 'node:crypto'
import { v7 } from 'uuid'

const ID_BYTES = 16
/** Drawing 16 bytes costs as much as drawing 16,384. */
const POOL_BYTES = 1_024 * ID_BYTES

/** One per bus. Within a millisecond its ids rise by one. */
export class EventIds {
  readonly #pool = new Uint8Array(POOL_BYTES)
  readonly #options: { random: Uint8Array; msecs: number; seq: number } = {
    random: this.#pool,
    msecs: -Infinity,
    seq: 0,
  }
  #at = POOL_BYTES

  next(nowMs: number): string {
    if (this.#at >= POOL_BYTES) {
      randomFillSync(this.#pool)
      this.#at = 0
    }
    const options = this.#options
    options.random = this.#pool.subarray(this.#at, this.#at + ID_BYTES)
    this.#at += ID_BYTES
    if (nowMs > options.msecs) {
      options.msecs = nowMs
      // The upper bit stays free, so that counting up does not overflow within the millisecond.
      options.seq =
        new DataView(options.random.buffer, options.random.byteOffset).getUint32(0) >>> 1
    } else options.seq++
    return v7(options)
  }
}
