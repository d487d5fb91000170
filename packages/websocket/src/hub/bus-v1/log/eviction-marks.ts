/** Eviction marks: for each type the newest event that left the log, so that a gap is told only to whom it concerns. */

/** Types that are told apart; all others share one mark. The types come from strangers. */
const MAX_TYPES = 10_000

/** The highest evicted offset of each type. */
export class EvictionMarks {
  readonly #maxTypes: number
  readonly #byType = new Map<string, number>()
  /** The highest evicted offset of the types that have no mark of their own. */
  #others = 0

  constructor(maxTypes: number = MAX_TYPES) {
    this.#maxTypes = maxTypes
  }

  /** An event left the log. Offsets only grow. */
  add(type: string, offset: number): void {
    if (this.#byType.has(type) || this.#byType.size < this.#maxTypes) {
      this.#byType.set(type, offset)
    } else this.#others = offset
  }

  /**
   * The highest evicted offset above `cursor` of a type that is wanted; 0 when nothing of it was evicted there. Exact
   * unless more types than marks were evicted; then it may be too high, never too low.
   */
  highest(wants: (type: string) => boolean, cursor: number): number {
    let highest = this.#others > cursor ? this.#others : 0
    for (const [type, offset] of this.#byType) {
      if (offset > highest && offset > cursor && wants(type)) highest = offset
    }
    return highest
  }
}
