/** A list that is sorted at all times: the greatest priority first, and among equals the smallest number. */

/** What an item is sorted by. */
export interface Ranked {
  /** The greater goes first. */
  readonly priority: number
  /** When it came: the smaller goes first among equals. */
  readonly number: number
}

/** Unbounded: its owner limits what is added. */
export class SortedList<T extends Ranked> {
  readonly #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  /** The first item. */
  peek(): T | undefined {
    return this.#items[0]
  }

  shift(): T | undefined {
    return this.#items.shift()
  }

  add(item: T): void {
    this.#items.splice(this.#indexOf(item), 0, item)
  }

  /** `false`: it is not in the list. */
  remove(item: T): boolean {
    const at = this.#indexOf(item)
    if (this.#items[at] !== item) return false
    this.#items.splice(at, 1)
    return true
  }

  /** Removes and returns all items, in order. */
  clear(): T[] {
    return this.#items.splice(0)
  }

  /** The first index at which the item goes before the item there, or is that item. */
  #indexOf(item: T): number {
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
