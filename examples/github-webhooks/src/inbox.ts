/** The inbox of a subscriber: which numbers its handler got, how often, and in which order. */
import type { Event } from '@bus/core'

/** What arrived, by number. */
export class Inbox {
  readonly seen: Set<number> = new Set()
  duplicates = 0
  /** New numbers that came after a higher one. */
  disordered = 0
  strangers = 0
  /** All that came, whatever it was. */
  arrivals = 0
  #highest = 0

  take({ metadata }: Event): void {
    this.arrivals++
    const { sequence } = metadata as { readonly sequence?: unknown }
    if (typeof sequence !== 'number') {
      this.strangers++
      return
    }
    if (this.seen.has(sequence)) this.duplicates++
    else if (sequence < this.#highest) this.disordered++
    this.seen.add(sequence)
    this.#highest = Math.max(this.#highest, sequence)
  }
}
