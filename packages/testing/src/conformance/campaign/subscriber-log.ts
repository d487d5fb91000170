/** What one subscription of a campaign received and was notified of, and what is missing in it. */
import type { Event, Feed, Gap, Sink, Transport } from '@bus/core'
import { PatternIndex } from '@bus/core/kit'

/** Which event of which publisher; the payload of every event of a campaign. */
export interface Mark {
  /** The publisher. */
  readonly by: number
  /** Counts the events of this publisher, from 0. */
  readonly n: number
}

/** One thing that was told. */
export type Observed = Mark | 'gap'

/** The sink of a subscription, which settles at once whatever comes. */
export class StreamLog implements Sink {
  readonly told: Observed[] = []
  readonly #patterns = new PatternIndex<true>()
  readonly #feed: Feed

  constructor(transport: Transport, patterns: readonly string[]) {
    for (const pattern of patterns) this.#patterns.add(pattern, true)
    transport.on('gap', (gap) => this.#gap(gap, patterns))
    this.#feed = transport.subscribe(patterns, this)
  }

  get live(): Promise<void> {
    return this.#feed.live
  }

  /** Whether it wants events of this type. */
  wants(type: string): boolean {
    return this.#patterns.match(type).length > 0
  }

  deliver({ payload }: Event, token: number): boolean {
    this.told.push(payload as Mark)
    this.#feed.settle(token)
    return true
  }

  #gap({ patterns }: Gap, own: readonly string[]): void {
    if (own.some((pattern) => patterns.includes(pattern))) this.told.push('gap')
  }
}

/** What the transport promises besides. */
interface Promises {
  /** Events of one publisher keep their order. */
  readonly isOrdered: boolean
  /** Nothing comes twice. */
  readonly dedupes: boolean
}

/**
 * What is wrong with what one subscription was told, as sentences; empty: nothing.
 *
 * @param confirmed - the numbers of the events that it should have got, per publisher, ascending
 */
export function complaints(
  told: readonly Observed[],
  confirmed: readonly (readonly number[])[],
  promises: Promises,
): string[] {
  return confirmed.flatMap((numbers, by) => complaintsOf(by, told, numbers, promises))
}

function complaintsOf(
  by: number,
  told: readonly Observed[],
  confirmed: readonly number[],
  { isOrdered, dedupes }: Promises,
): string[] {
  const found: string[] = []
  /** Where each event was told first. */
  const places = new Map<number, number>()
  let last = -1
  for (const [place, one] of told.entries()) {
    if (one === 'gap' || one.by !== by) continue
    const isAgain = places.has(one.n)
    if (isAgain && dedupes) found.push(`${by}/${one.n} came twice`)
    if (isAgain) continue
    if (isOrdered && one.n < last) found.push(`${by}/${one.n} came after ${by}/${last}`)
    last = one.n
    places.set(one.n, place)
  }
  const gaps = told.flatMap((one, place) => (one === 'gap' ? [place] : []))
  let before = -1
  for (const [at, n] of confirmed.entries()) {
    const place = places.get(n)
    if (place !== undefined) {
      before = Math.max(before, place)
      continue
    }
    const next = confirmed.slice(at + 1).find((later) => places.has(later))
    const after = next === undefined ? told.length : (places.get(next) ?? told.length)
    const isTold = gaps.some((gap) => !isOrdered || (gap > before && gap < after))
    if (!isTold) found.push(`${by}/${n} is missing, and no gap was told before what came later`)
  }
  return found
}
