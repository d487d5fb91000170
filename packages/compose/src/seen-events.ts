/** Which events were seen of late, and on which way: what comes on another way too is known by it. */
import type { Event } from '@bus/core'

/** Bounded: the oldest is forgotten first. */
export class SeenEvents<W> {
  readonly #ways = new Map<string, W>()
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  has(event: Event): boolean {
    return this.#ways.has(keyOf(event))
  }

  /** The way on which the event came first, which is this one if it is new. */
  firstWay(event: Event, way: W): W {
    const key = keyOf(event)
    const first = this.#ways.get(key)
    if (first !== undefined) return first
    this.#ways.set(key, way)
    if (this.#ways.size > this.#limit) {
      const { value: oldest } = this.#ways.keys().next()
      if (oldest !== undefined) this.#ways.delete(oldest)
    }
    return way
  }
}

/** An id has no line break in it. */
function keyOf({ id, metadata }: Event): string {
  return `${id}\n${metadata.source ?? ''}`
}
