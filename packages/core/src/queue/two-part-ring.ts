/** The storage of a bounded queue: what is under way, and behind it what waits to go, with their bytes. */
import Denque from 'denque'

/** An item with the bytes it was counted with. */
export interface Entry<T> {
  readonly item: T
  readonly bytes: number
}

/**
 * First in, first out, in two parts.
 *
 * ```
 *   commit ◄── [ reserved ] ◄── reserve ── [ unreserved ] ◄── push
 *                     └──── release ────────►   │ shift, remove
 * ```
 *
 * Everything but `remove`, `release`, `clear` and what is given a rank is O(1).
 */
export class TwoPartRing<T> {
  readonly #reserved = new Denque<Entry<T>>()
  readonly #unreserved = new Denque<Entry<T>>()
  #bytes = 0
  #reservedBytes = 0

  get size(): number {
    return this.#reserved.length + this.#unreserved.length
  }

  get bytes(): number {
    return this.#bytes
  }

  get reserved(): number {
    return this.#reserved.length
  }

  get reservedBytes(): number {
    return this.#reservedBytes
  }

  push(entry: Entry<T>): void {
    this.#unreserved.push(entry)
    this.#bytes += entry.bytes
  }

  /** The oldest unreserved entry leaves. */
  shift(): Entry<T> | undefined {
    const entry = this.#unreserved.shift()
    if (entry !== undefined) this.#bytes -= entry.bytes
    return entry
  }

  /** The oldest unreserved entry, or with a rank the oldest of those of the highest, which stays. */
  peek(rank?: (item: T) => number): Entry<T> | undefined {
    if (rank === undefined) return this.#unreserved.peekFront()
    return this.#unreserved.peekAt(this.#highest(rank))
  }

  /** The entry that {@link peek} gives becomes the newest reserved one. */
  reserve(rank?: (item: T) => number): Entry<T> | undefined {
    const entry =
      rank === undefined
        ? this.#unreserved.shift()
        : this.#unreserved.removeOne(this.#highest(rank))
    if (entry === undefined) return undefined
    this.#reserved.push(entry)
    this.#reservedBytes += entry.bytes
    return entry
  }

  /** The oldest reserved entry leaves. */
  commit(): Entry<T> | undefined {
    const entry = this.#reserved.shift()
    if (entry === undefined) return undefined
    this.#reservedBytes -= entry.bytes
    this.#bytes -= entry.bytes
    return entry
  }

  /** All reserved entries go back to the head of the unreserved, in their order. */
  release(): void {
    for (let entry = this.#reserved.pop(); entry !== undefined; entry = this.#reserved.pop()) {
      this.#unreserved.unshift(entry)
    }
    this.#reservedBytes = 0
  }

  /** Takes out an unreserved entry. Searches from the oldest, so it costs as much as its place is far. */
  remove(item: T): boolean {
    for (let i = 0; i < this.#unreserved.length; i++) {
      const entry = this.#unreserved.peekAt(i)
      if (entry?.item !== item) continue
      this.#unreserved.removeOne(i)
      this.#bytes -= entry.bytes
      return true
    }
    return false
  }

  /** The items as they are now, reserved first. */
  items(): T[] {
    const items: T[] = []
    for (const ring of [this.#reserved, this.#unreserved]) {
      for (let i = 0; i < ring.length; i++) {
        const entry = ring.peekAt(i)
        if (entry !== undefined) items.push(entry.item)
      }
    }
    return items
  }

  #highest(rank: (item: T) => number): number {
    let at = 0
    let highest = -Infinity
    for (let i = 0; i < this.#unreserved.length; i++) {
      const entry = this.#unreserved.peekAt(i)
      const own = entry === undefined ? -Infinity : rank(entry.item)
      // What is no number is no reason to go first.
      if (!(own > highest)) continue
      highest = own
      at = i
    }
    return at
  }

  clear(): void {
    this.#reserved.clear()
    this.#unreserved.clear()
    this.#bytes = 0
    this.#reservedBytes = 0
  }
}
