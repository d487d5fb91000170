/** Lanes: items of one key go one after the other, in order, while different keys overlap. */
import Denque from 'denque'

interface Lane<T> {
  readonly key: string
  readonly items: Denque<T>
  isBusy: boolean
}

/**
 * Gives out items so that no two of one key are out at once. Holds only keys that have something waiting or out,
 * so it is as small as what it holds; the owner limits that.
 */
export class Lanes<T> {
  readonly #lanes = new Map<string, Lane<T>>()
  /** Lanes that wait for nothing but a place, longest waiting first. */
  readonly #ready = new Denque<Lane<T>>()
  #waiting = 0

  /** Items that were added and not yet given out. */
  get waiting(): number {
    return this.#waiting
  }

  /** Keys that have something waiting or out. */
  get size(): number {
    return this.#lanes.size
  }

  add(key: string, item: T): void {
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      this.#lanes.set(key, (lane = { key, items: new Denque<T>(), isBusy: false }))
    }
    if (!lane.isBusy && lane.items.length === 0) this.#ready.push(lane)
    lane.items.push(item)
    this.#waiting++
  }

  /** The next item whose key has none out, with its key. Give the key back to {@link done}. */
  next(): { readonly key: string; readonly item: T } | undefined {
    const lane = this.#ready.shift()
    const item = lane?.items.shift()
    if (lane === undefined || item === undefined) return undefined
    lane.isBusy = true
    this.#waiting--
    return { key: lane.key, item }
  }

  /** The item of this key that was out has ended. */
  done(key: string): void {
    const lane = this.#lanes.get(key)
    if (lane === undefined) return
    lane.isBusy = false
    if (lane.items.length > 0) this.#ready.push(lane)
    else this.#lanes.delete(key)
  }

  /** Takes out everything that waits, lane by lane. */
  clear(): T[] {
    const left = [...this.#lanes.values()].flatMap((lane) => lane.items.toArray())
    this.#lanes.clear()
    this.#ready.clear()
    this.#waiting = 0
    return left
  }
}
