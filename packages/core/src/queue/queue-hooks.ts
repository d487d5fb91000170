/** What a bounded queue answers to an offer, and what its owner tells it and is told. */

/** What became of an offered item. `full`: not taken and not counted, the caller may wait with `push`. */
export type OfferResult = 'accepted' | 'dropped' | 'rejected' | 'full' | 'too-large' | 'closed'

/** Questions and notices of a queue to its owner. Called when the queue is consistent; must not throw. */
export interface QueueHooks<T> {
  /** Bytes of an item, asked once when it comes. @default 0 */
  sizeOf?(item: T): number
  /** A strategy gave the item up, an old one or the new one. Its owner settles it here. */
  onDrop?(item: T): void
  /** The fill ratio reached the warning threshold, or fell below three quarters of it again. */
  onLevel?(level: 'high' | 'normal', fillRatio: number): void
}
