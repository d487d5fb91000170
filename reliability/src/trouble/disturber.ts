/** The disturber: breaks links at moments and in ways that follow from the seed and from how far the run is. */
import type { Random } from '@bus/core'
import type { NetworkConditions } from '@bus/testing/chaos'
import type { Line } from './line.ts'

/** Troubles that may be due before publishers have to wait for them. */
const MAX_BACKLOG = 8

/** Troubles after which a cut that has not come is given up. */
const PATIENCE = 10

const CONDITIONS: readonly NetworkConditions[] = [
  {},
  {},
  { delayMs: 1, jitterMs: 4 },
  { sliceBytes: 1_500 },
  { sliceBytes: 20_000, delayMs: 1 },
]

/** As many troubles as planned, spread evenly over the run; each breaks one link. */
export class Disturber {
  readonly #lines: readonly Line[]
  readonly #random: Random
  readonly #events: number
  readonly #conditions: readonly NetworkConditions[]
  readonly #every: number
  readonly #planned: number
  #done = 0
  #due = 0
  /** The cuts that may be due, with the number of the trouble that ordered them. */
  readonly #cuts = new Map<Line, number>()
  /** Holes so far. */
  holes = 0

  /** @param events - what {@link at} counts to */
  constructor(
    lines: readonly Line[],
    random: Random,
    planned: number,
    events: number,
    conditions: readonly NetworkConditions[] = CONDITIONS,
  ) {
    this.#conditions = conditions
    this.#lines = lines
    this.#random = random
    this.#planned = planned
    this.#events = events
    this.#every = events / (planned + 1)
  }

  /** Troubles made, with the cuts that are still to come. */
  get done(): number {
    return this.#done
  }

  /** There is more due than links to break. */
  get isBehind(): boolean {
    return this.#due - this.#done > MAX_BACKLOG
  }

  /** The run has come so far: makes what is due, as far as there are links to break. */
  at(events: number): void {
    this.#due = Math.min(this.#planned, Math.floor(events / this.#every))
    while (this.#done < this.#due) {
      const up = this.#lines.filter((line) => line.isUp)
      const line = up[this.#below(up.length)]
      if (line === undefined) return
      this.#done++
      this.#trouble(line)
    }
    this.#giveUpCuts(events >= this.#events ? 0 : PATIENCE)
  }

  /** Every trouble must break something: a cut that does not come is made now. */
  #giveUpCuts(patience: number): void {
    for (const [line, ordered] of this.#cuts) {
      if (this.#done - ordered < patience) continue
      line.giveUpCut()
      this.#cuts.delete(line)
    }
  }

  /** Everything passes again. */
  calm(): void {
    for (const { network } of this.#lines) network.setConditions({})
  }

  #trouble(line: Line): void {
    this.#disturb()
    const how = this.#random() < 0.5 ? 'reset' : 'end'
    if (this.#random() < 0.45) {
      line.tear(how)
      return
    }
    const isBusyWay = this.#random() < 0.8
    const other = line.busy === 'upstream' ? 'downstream' : 'upstream'
    // Little goes the other way: acknowledgements.
    const bytes = 1 + this.#below(isBusyWay ? 60_000 : 40)
    this.#cuts.set(line, this.#done)
    line.cutAfter(bytes, { direction: isBusyWay ? line.busy : other, how })
  }

  /** Changes the network conditions of a line, and now and then makes a hole. */
  #disturb(): void {
    const line = this.#lines[this.#below(this.#lines.length)]
    line?.network.setConditions(this.#conditions[this.#below(this.#conditions.length)] ?? {})
    if (this.#random() < 0.05 && line !== undefined) {
      this.holes++
      line.network.hole(30)
    }
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }
}
