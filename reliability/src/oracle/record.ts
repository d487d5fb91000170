/** The record: what one subscriber handled, and which gaps were reported to it. */
import type { Gap } from '@bus/core'
import type { Payload } from '../load/payload.ts'

const HANDLED = 1
/** Not handled, and a gap was reported between its neighbours. */
const EXPLAINED = 2

/** One byte for each event of each publisher; gaps and events are noted in the order in which they came. */
export class SubscriberRecord {
  readonly events: number
  /** Different events. */
  handled = 0
  duplicates = 0
  /** Events that came behind a later one of their publisher. */
  disordered = 0
  /** Events that were never published, or that were changed on the way. */
  corrupt = 0
  /** Reported gaps, by reason. */
  readonly gaps: Map<Gap['reason'], number> = new Map()
  /** Positions that the gaps name, together. */
  gapSize = 0
  /** How often the end was announced: what was confirmed before has come by then, or never will. */
  ends = 0
  readonly #marks: Uint8Array
  /** What each publisher should send next. */
  readonly #next: number[]
  /** Reported gaps at the last event of each publisher. */
  readonly #gapsThen: number[]
  #gapCount = 0

  constructor(publishers: number, events: number) {
    this.events = events
    this.#marks = new Uint8Array(publishers * events)
    this.#next = Array.from({ length: publishers }, () => 0)
    this.#gapsThen = Array.from({ length: publishers }, () => 0)
  }

  /** Reported gaps. */
  get gapCount(): number {
    return this.#gapCount
  }

  /** An event reached the handler. */
  handle({ p, n }: Payload): void {
    const expected = this.#next[p]
    if (expected === undefined || n >= this.events) {
      this.corrupt++
      return
    }
    const at = p * this.events + n
    if (this.#marks[at] === HANDLED) this.duplicates++
    else {
      this.#marks[at] = HANDLED
      this.handled++
      if (n < expected) this.disordered++
    }
    if (n < expected) return
    this.#explain(p, expected, n)
    this.#next[p] = n + 1
    this.#gapsThen[p] = this.#gapCount
  }

  /** A gap was reported. */
  gap({ from, to, reason }: Gap): void {
    this.#gapCount++
    this.gaps.set(reason, (this.gaps.get(reason) ?? 0) + 1)
    this.gapSize += to - from + 1
  }

  /** No more comes: what is missing at the end lies in a gap if one was reported since. */
  finish(): void {
    for (const [p, next] of this.#next.entries()) this.#explain(p, next, this.events)
  }

  wasHandled(p: number, n: number): boolean {
    return this.#marks[p * this.events + n] === HANDLED
  }

  /** Whether a gap was reported where this event is missing. */
  isExplained(p: number, n: number): boolean {
    return this.#marks[p * this.events + n] === EXPLAINED
  }

  #explain(p: number, from: number, to: number): void {
    if (this.#gapsThen[p] === this.#gapCount) return
    for (let n = from; n < to; n++) {
      const at = p * this.events + n
      if (this.#marks[at] === 0) this.#marks[at] = EXPLAINED
    }
  }
}
