/** A limit for what may be pending at once: above it, callers wait. */
export class Places {
  readonly #count: number
  #free: number
  /** The one caller who waits, and for how many free places. */
  #waiting: { readonly free: number; readonly resolve: () => void } | undefined

  constructor(count: number) {
    this.#count = count
    this.#free = count
  }

  /** Takes a place, after waiting for one if need be. */
  async take(): Promise<void> {
    if (this.#free === 0) await this.#until(1)
    this.#free--
  }

  /** Resolves when every place is free: nothing is under way. */
  async allFree(): Promise<void> {
    if (this.#free < this.#count) await this.#until(this.#count)
  }

  give(): void {
    this.#free++
    if (this.#waiting === undefined || this.#free < this.#waiting.free) return
    const { resolve } = this.#waiting
    this.#waiting = undefined
    resolve()
  }

  #until(free: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = { free, resolve }
    })
  }
}
