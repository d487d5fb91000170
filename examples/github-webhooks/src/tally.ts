/** The tally: compares what was published with what each subscriber got, and names what is missing. */
import { matches } from '@bus/core'
import type { PublisherReport, SubscriberReport } from './messages.ts'
import { toNumbers, type Range } from './ranges.ts'

/** Why the events of a gap were lost; `unexplained` never happens in a sound run. */
type GapCause = 'publisher-link' | 'subscriber-link' | 'unexplained'

/** Published events that match in a row and did not arrive. */
export interface Gap extends Range {
  /** How many of them match the pattern. */
  readonly events: number
  readonly causes: readonly GapCause[]
}

/** The account of one subscriber: `matched = delivered + missing + deadLettered`. */
export interface Account {
  readonly pattern: string
  /** Published events that the pattern matches. */
  readonly matched: number
  /** Those that arrived, each counted once. */
  readonly delivered: number
  /** Those that did not arrive. All of them lie in `gaps`. */
  readonly missing: number
  /** Those that arrived and were given up. */
  readonly deadLettered: number
  readonly duplicates: number
  readonly gaps: readonly Gap[]
  /** What does not add up, as sentences; empty in a sound run. */
  readonly problems: readonly string[]
}

/** What the transport promises. */
export type Guarantee = 'at-most-once' | 'at-least-once'

/** What was published, and how. */
export interface Publication {
  readonly total: number
  typeOf(sequence: number): string
  readonly report: PublisherReport
}

/** Draws up the account of one subscriber. */
export function tally(
  publication: Publication,
  pattern: string,
  received: SubscriberReport,
  guarantee: Guarantee,
): Account {
  const delivered = toNumbers(received.delivered)
  const deadLettered = toNumbers(received.deadLettered)
  const notSent = toNumbers(publication.report.notSent)
  const unknown = toNumbers(publication.report.unknown)
  const gaps = new GapList(publication.report.breaks, received)
  const counts = { matched: 0, delivered: 0, missing: 0, deadLettered: 0 }
  let impossible = delivered.size
  for (let sequence = 1; sequence <= publication.total; sequence++) {
    if (!matches(pattern, publication.typeOf(sequence))) continue
    const arrived = delivered.has(sequence)
    if (arrived && !notSent.has(sequence)) impossible--
    if (notSent.has(sequence) || unknown.has(sequence)) continue
    counts.matched++
    if (deadLettered.has(sequence)) counts.deadLettered++
    else if (arrived) counts.delivered++
    else counts.missing++
    if (arrived || deadLettered.has(sequence)) gaps.end(sequence)
    else gaps.add(sequence)
  }
  gaps.end(undefined)
  const account = { pattern, ...counts, duplicates: received.duplicates, gaps: gaps.list }
  return { ...account, problems: problemsOf(account, impossible, received, guarantee) }
}

function problemsOf(
  account: Omit<Account, 'problems'>,
  impossible: number,
  received: SubscriberReport,
  guarantee: Guarantee,
): string[] {
  const { matched, delivered, missing, deadLettered, gaps, pattern } = account
  const inGaps = gaps.reduce((sum, { events }) => sum + events, 0)
  const unexplained = gaps.filter(({ causes }) => causes.includes('unexplained'))
  const problems: string[] = []
  const strange = impossible + received.strangers
  if (strange > 0) problems.push(`got ${strange} events that nobody published for it`)
  if (matched !== delivered + missing + deadLettered || missing !== inGaps) {
    problems.push('its figures do not add up')
  }
  if (unexplained.length > 0) {
    problems.push(`lost events in ${unexplained.length} gaps although no link had broken there`)
  }
  if (guarantee === 'at-least-once' && missing > 0) problems.push(`lost ${missing} events`)
  return problems.map((problem) => `The subscriber of ${pattern} ${problem}`)
}

/** Collects the gaps while the numbers go by. */
class GapList {
  readonly list: Gap[] = []
  readonly #publisherBreaks: readonly number[]
  readonly #subscriberBreaks: SubscriberReport['breaks']
  #open: { from: number; to: number; events: number } | undefined

  constructor(publisherBreaks: readonly number[], { breaks }: SubscriberReport) {
    this.#publisherBreaks = publisherBreaks
    this.#subscriberBreaks = breaks
  }

  /** A number that is missing. */
  add(sequence: number): void {
    if (this.#open === undefined) this.#open = { from: sequence, to: sequence, events: 1 }
    else this.#open = { ...this.#open, to: sequence, events: this.#open.events + 1 }
  }

  /** A number that is there; `undefined` after the last. */
  end(next = Number.POSITIVE_INFINITY): void {
    if (this.#open === undefined) return
    this.list.push({ ...this.#open, causes: this.#causesOf(this.#open, next) })
    this.#open = undefined
  }

  /** Every hop keeps the order, so a link that breaks loses the end of what was sent over it. */
  #causesOf({ from, to }: Range, next: number): GapCause[] {
    const causes: GapCause[] = []
    const atPublisher = this.#publisherBreaks.some((last) => from <= last && last < next)
    const atSubscriber = this.#subscriberBreaks.some(
      ({ after, before }) => to > after && (before === null || from < before),
    )
    if (atPublisher) causes.push('publisher-link')
    if (atSubscriber) causes.push('subscriber-link')
    return causes.length === 0 ? ['unexplained'] : causes
  }
}
