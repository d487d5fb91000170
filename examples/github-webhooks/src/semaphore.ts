/** A counting semaphore: bounds what may be pending at once; above the bound, its one caller waits. */
export class Semaphore {
  readonly #count: number
  #free: number
  /** The caller that waits, and for how many free permits. */
  #waiting: { readonly free: number; readonly resolve: () => void } | undefined

  constructor(count: number) {
    this.#count = count
    this.#free = count
  }

  /** Takes a permit, after waiting for one if need be. */
  async acquire(): Promise<void> {
    if (this.#free === 0) await this.#until(1)
    this.#free--
  }

  /** Resolves when every permit is free: nothing is pending. */
  async whenIdle(): Promise<void> {
    if (this.#free < this.#count) await this.#until(this.#count)
  }

  release(): void {
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
