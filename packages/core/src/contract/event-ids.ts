/** Ids of events: UUIDs of version 7, which sort by time; within a millisecond the last digits count. */
import { randomFillSync } from 'node:crypto'
import { v7 } from 'uuid'

/** Characters of a UUID before the part that counts. */
const STEM_LENGTH = 32
/** Ids per stem: as many as four hexadecimal digits can tell apart. */
const IDS_PER_STEM = 0x1_0000
/** Random bytes of a UUID. */
const RANDOM_BYTES = 16
/** To draw the bytes for many costs as much as for one. */
const POOL_BYTES = 256 * RANDOM_BYTES

/**
 * One per bus. Each millisecond draws a UUID, whose last 16 random bits are replaced by a counter (RFC 9562, section
 * 6.2, method 1): so an id costs a number, not a UUID.
 */
export class EventIds {
  readonly #pool = new Uint8Array(POOL_BYTES)
  #drawn = POOL_BYTES
  #stem = ''
  #stemMs = -Infinity
  #count = 0

  next(nowMs: number): string {
    if (nowMs > this.#stemMs) this.#renew(nowMs)
    // A clock that steps back does not take the ids back with it.
    else if (this.#count === IDS_PER_STEM) this.#renew(this.#stemMs + 1)
    return this.#stem + (IDS_PER_STEM + this.#count++).toString(16).slice(1)
  }

  #renew(msecs: number): void {
    if (this.#drawn === POOL_BYTES) {
      randomFillSync(this.#pool)
      this.#drawn = 0
    }
    const random = this.#pool.subarray(this.#drawn, (this.#drawn += RANDOM_BYTES))
    this.#stem = v7({ msecs, random }).slice(0, STEM_LENGTH)
    this.#stemMs = msecs
    this.#count = 0
  }
}
