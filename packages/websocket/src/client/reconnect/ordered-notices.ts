/** Ordered notices: told one after the other, also when the listener of one causes the next. */

/** A queue between what happens and who is told. */
export class OrderedNotices<T> {
  readonly #tell: (notice: T) => void
  readonly #onError: (error: unknown) => void
  readonly #waiting: T[] = []
  #telling = false

  /**
   * @param tell - gets each notice, in order, never while it is still busy with the one before
   * @param onError - gets what `tell` or a `before` threw; must not throw itself
   */
  constructor(tell: (notice: T) => void, onError: (error: unknown) => void) {
    this.#tell = tell
    this.#onError = onError
  }

  /** Tells, or queues when telling is under way. `before` runs first in any case; what it pushes is told afterwards. */
  push(notice: T, before?: () => void): void {
    this.#waiting.push(notice)
    const outermost = !this.#telling
    this.#telling = true
    try {
      if (before !== undefined) this.#guard(before)
      if (outermost) this.#tellAll()
    } finally {
      if (outermost) this.#telling = false
    }
  }

  #tellAll(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const notice = next
      this.#guard(() => this.#tell(notice))
    }
  }

  #guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#onError(error)
    }
  }
}
