/** The figures of a bounded queue. */

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
