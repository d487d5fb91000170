/** The recent: which of the newest events are wanted, so that nobody has to look through the others. */

/** Offsets that are kept, at most. A set that wants more than that is looked for as quickly by asking about every event. */
const MAX_KEPT = 64

/** Of one pattern set. Told of every event that it wants, in order. */
export class Recent {
  /** All that is wanted behind this offset is kept. */
  #from: number
  #offsets: number[] = []

  /** @param from - everything that is wanted behind this offset will be told */
  constructor(from: number) {
    this.#from = from
  }

  /** The next event that is wanted. */
  add(offset: number): void {
    if (this.#offsets.length === MAX_KEPT) {
      this.#from = this.#offsets[MAX_KEPT - 1] ?? offset
      this.#offsets = []
    }
    this.#offsets.push(offset)
  }

  /** The first one behind `cursor`, or `Infinity`; `undefined` when that is not known any more. */
  firstBehind(cursor: number): number | undefined {
    if (cursor < this.#from) return undefined
    return this.#offsets[this.#placeBehind(cursor)] ?? Infinity
  }

  /** Those behind `cursor` up to `end`, in order; `undefined` when they are not known any more. */
  between(cursor: number, end: number): readonly number[] | undefined {
    if (cursor < this.#from) return undefined
    return this.#offsets.slice(this.#placeBehind(cursor), this.#placeBehind(end))
  }

  /** The place of the first one behind `cursor`. */
  #placeBehind(cursor: number): number {
    // Whoever asks has mostly seen all but the last few.
    let place = this.#offsets.length
    while (place > 0 && (this.#offsets[place - 1] ?? 0) > cursor) place--
    return place
  }
}
