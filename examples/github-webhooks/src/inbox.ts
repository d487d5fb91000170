/** The inbox of a subscriber: which numbers arrived, and between which of them its link broke. */
import type { Event } from '@bus/core'
import type { Break } from './messages.ts'

/** What arrived, by number. */
export class Inbox {
  readonly seen: Set<number> = new Set()
  readonly breaks: Break[] = []
  duplicates = 0
  strangers = 0
  /** All that came, whatever it was. */
  arrivals = 0
  #highest = 0
  /** Where the break began that is not over yet. */
  #brokenAfter: number | undefined
  #isBack = false

  take({ metadata }: Event): void {
    this.arrivals++
    const { sequence } = metadata as { readonly sequence?: unknown }
    if (typeof sequence !== 'number') {
      this.strangers++
      return
    }
    if (this.#brokenAfter !== undefined && this.#isBack) {
      this.breaks.push({ after: this.#brokenAfter, before: sequence })
      this.#brokenAfter = undefined
    }
    if (this.seen.has(sequence)) this.duplicates++
    this.seen.add(sequence)
    this.#highest = Math.max(this.#highest, sequence)
  }

  linkLost(): void {
    this.#brokenAfter ??= this.#highest
    this.#isBack = false
  }

  linkBack(): void {
    this.#isBack = true
  }

  allBreaks(): readonly Break[] {
    if (this.#brokenAfter === undefined) return this.breaks
    return [...this.breaks, { after: this.#brokenAfter, before: null }]
  }
}
