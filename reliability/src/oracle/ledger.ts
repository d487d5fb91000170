/** The ledger: what became of each publish, by the outcomes that the publishers got. */

/** The outcome of an event for its publisher; `pending` until then. */
export type Fate = 'pending' | 'confirmed' | 'not-sent' | 'rejected' | 'unknown'

const FATES: readonly Fate[] = ['pending', 'confirmed', 'not-sent', 'rejected', 'unknown']

/** One byte for each event of each publisher. */
export class Ledger {
  readonly publishers: number
  /** Events of each publisher. */
  readonly events: number
  /** How often an event was written beyond the first time. */
  resends = 0
  /** Publishes that were settled more than once. */
  settledAgain = 0
  /** The first reasons why publishes failed. */
  readonly reasons: string[] = []
  readonly #fates: Uint8Array
  readonly #counts = new Map<Fate, number>(FATES.map((fate) => [fate, 0]))

  constructor(publishers: number, events: number) {
    this.publishers = publishers
    this.events = events
    this.#fates = new Uint8Array(publishers * events)
    this.#counts.set('pending', publishers * events)
  }

  fate(p: number, n: number): Fate {
    return FATES[this.#fates[p * this.events + n] ?? 0] ?? 'pending'
  }

  count(fate: Fate): number {
    return this.#counts.get(fate) ?? 0
  }

  /** Publishes that have a fate. */
  get settled(): number {
    return this.publishers * this.events - this.count('pending')
  }

  settle(p: number, n: number, fate: Exclude<Fate, 'pending'>): void {
    if (this.fate(p, n) !== 'pending') {
      this.settledAgain++
      return
    }
    this.#fates[p * this.events + n] = FATES.indexOf(fate)
    this.#counts.set('pending', this.count('pending') - 1)
    this.#counts.set(fate, this.count(fate) + 1)
  }

  /** Notes why a publish failed; the first few say enough. */
  note(reason: string): void {
    if (this.reasons.length < 5) this.reasons.push(reason)
  }
}
