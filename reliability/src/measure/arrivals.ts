/** Arrivals: when connections came, and how many within one second at most. */

/** Milliseconds of one count. */
const SLOT_MS = 50

/** Counts in slots, so that it costs one addition for each arrival. */
export class Arrivals {
  readonly #slots: number[] = []
  readonly #startedAt: number
  total = 0

  constructor(now: number) {
    this.#startedAt = now
  }

  note(now: number): void {
    const slot = Math.floor((now - this.#startedAt) / SLOT_MS)
    this.#slots[slot] = (this.#slots[slot] ?? 0) + 1
    this.total++
  }

  /** The most within any second, to the slot. */
  get peakPerSecond(): number {
    const width = 1_000 / SLOT_MS
    let within = 0
    let peak = 0
    for (let i = 0; i < this.#slots.length; i++) {
      within += (this.#slots[i] ?? 0) - (this.#slots[i - width] ?? 0)
      peak = Math.max(peak, within)
    }
    return peak
  }
}
