/** Watches the memory of a process: how much it grows once it has warmed up. */

/** Milliseconds between two looks: one costs more than a few inputs. */
const EVERY_MS = 50

/** The resident set, which is what the machine has to give. */
export class RssWatch {
  readonly #from: number
  #baseBytes = 0
  #mostBytes = 0
  #lookedAt = 0

  /** @param from - the step at which it has warmed up */
  constructor(from: number) {
    this.#from = from
  }

  /** Up to the last look within the warm-up it is the base. */
  look(step: number): void {
    const now = performance.now()
    if (now - this.#lookedAt < EVERY_MS) return
    this.#lookedAt = now
    const bytes = process.memoryUsage.rss()
    if (step < this.#from) this.#baseBytes = Math.max(this.#baseBytes, bytes)
    this.#mostBytes = Math.max(this.#mostBytes, bytes)
  }

  get growthBytes(): number {
    return this.#mostBytes - this.#baseBytes
  }
}
