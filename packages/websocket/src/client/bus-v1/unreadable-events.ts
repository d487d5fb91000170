/** Events that cannot be read: asked for again over a new link, and given up when that does not help. */

/** Times that the same event may come unreadable before it is given up. */
const MAX_TIMES = 3

/** Remembers the one event that stands in the way: nothing behind it is taken before it. */
export class UnreadableEvents {
  #offset: number | undefined
  #times = 0

  /** Notes that the event came unreadable. @returns whether it must be given up */
  note(offset: number): boolean {
    this.#times = offset === this.#offset ? this.#times + 1 : 1
    this.#offset = offset
    return this.#times >= MAX_TIMES
  }

  /** Offsets are those of another log now. */
  reset(): void {
    this.#offset = undefined
  }
}
