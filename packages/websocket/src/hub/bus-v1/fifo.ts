/** A queue of what its owner bounds: first in, first out, without moving what waits. */

/** Taken places are given back in bulk. */
const COMPACT_AT = 1_024

/** Holds no more than its owner puts in. */
export class Fifo<T> {
  #items: (T | undefined)[] = []
  #at = 0

  get size(): number {
    return this.#items.length - this.#at
  }

  push(item: T): void {
    this.#items.push(item)
  }

  peek(): T | undefined {
    return this.#items[this.#at]
  }

  shift(): T | undefined {
    const item = this.#items[this.#at]
    if (this.size === 0) return undefined
    this.#items[this.#at++] = undefined
    if (this.#at === this.#items.length) this.clear()
    else if (this.#at === COMPACT_AT) {
      this.#items = this.#items.slice(COMPACT_AT)
      this.#at = 0
    }
    return item
  }

  clear(): void {
    this.#items = []
    this.#at = 0
  }
}
