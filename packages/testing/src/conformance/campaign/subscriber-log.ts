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

/** One entry: an event, or a reported gap. */
export type Observed = Mark | 'gap'

/** The sink of a subscription, which settles at once whatever comes. */
export class SubscriberLog implements Sink {
  readonly observed: Observed[] = []
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

  /** Whether the patterns of the subscription match the type. */
  matches(type: string): boolean {
    return this.#patterns.match(type).length > 0
  }

  deliver({ payload }: Event, token: number): boolean {
    this.observed.push(payload as Mark)
    this.#feed.settle(token)
    return true
  }

  #gap({ patterns }: Gap, own: readonly string[]): void {
    if (own.some((pattern) => patterns.includes(pattern))) this.observed.push('gap')
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
 * What is wrong in the log of one subscription, as sentences; empty if nothing is.
 *
 * @param confirmed - the numbers of the events that it should have got, per publisher, ascending
 */
export function complaints(
  observed: readonly Observed[],
  confirmed: readonly (readonly number[])[],
  promises: Promises,
): string[] {
  return confirmed.flatMap((numbers, by) => complaintsOf(by, observed, numbers, promises))
}

function complaintsOf(
  by: number,
  observed: readonly Observed[],
  confirmed: readonly number[],
  { isOrdered, dedupes }: Promises,
): string[] {
  const found: string[] = []
  /** The position at which each event arrived first. */
  const positions = new Map<number, number>()
  let last = -1
  for (const [position, one] of observed.entries()) {
    if (one === 'gap' || one.by !== by) continue
    const isAgain = positions.has(one.n)
    if (isAgain && dedupes) found.push(`${by}/${one.n} came twice`)
    if (isAgain) continue
    if (isOrdered && one.n < last) found.push(`${by}/${one.n} came after ${by}/${last}`)
    last = one.n
    positions.set(one.n, position)
  }
  const gaps = observed.flatMap((one, position) => (one === 'gap' ? [position] : []))
  let before = -1
  for (const [at, n] of confirmed.entries()) {
    const position = positions.get(n)
    if (position !== undefined) {
      before = Math.max(before, position)
      continue
    }
    const next = confirmed.slice(at + 1).find((later) => positions.has(later))
    const after = next === undefined ? observed.length : (positions.get(next) ?? observed.length)
    const isReported = gaps.some((gap) => !isOrdered || (gap > before && gap < after))
    if (!isReported)
      found.push(`${by}/${n} is missing, and no gap was reported before later events`)
  }
  return found
}
