/** The line in front of a rate limit: the most urgent first, and among equals who came first. */

/** What has a place in the line. */
export interface Ranked {
  /** The greater goes first. */
  readonly priority: number
  /** When it came: the smaller goes first among equals. */
  readonly number: number
}

/** Sorted at all times. Whoever adds bounds it. */
export class RateQueue<T extends Ranked> {
  readonly #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  /** Who goes next. */
  peek(): T | undefined {
    return this.#items[0]
  }

  shift(): T | undefined {
    return this.#items.shift()
  }

  add(item: T): void {
    this.#items.splice(this.#placeOf(item), 0, item)
  }

  /** `false`: it is not here. */
  remove(item: T): boolean {
    const at = this.#placeOf(item)
    if (this.#items[at] !== item) return false
    this.#items.splice(at, 1)
    return true
  }

  /** Everybody leaves, in order. */
  clear(): T[] {
    return this.#items.splice(0)
  }

  /** The first place at which the item goes before the one who is there, or is that one. */
  #placeOf(item: T): number {
    let low = 0
    let high = this.#items.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = this.#items[middle]
      if (other !== undefined && goesBefore(other, item)) low = middle + 1
      else high = middle
    }
    return low
  }
}

function goesBefore(a: Ranked, b: Ranked): boolean {
  return a.priority === b.priority ? a.number < b.number : a.priority > b.priority
}
