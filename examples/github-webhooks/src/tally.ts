/** The tally: compares what was published with what each subscriber got, and names what is not as it must be. */
import { matches } from '@bus/core'
import type { PublisherReport, SubscriberReport } from './messages.ts'
import { printRange, toNumbers, type Range } from './ranges.ts'

/** Published events that match in a row and did not arrive; there is none in a sound run. */
interface Gap extends Range {
  /** How many of them match the pattern. */
  readonly events: number
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
  /** Those that came again and were kept from the handler. */
  readonly suppressed: number
  readonly gaps: readonly Gap[]
  /** How often the hub said that events may be missing. */
  readonly gapNotices: number
  /** What is not as it must be, as sentences; empty in a sound run. */
  readonly problems: readonly string[]
}

/** What was published, and how. */
export interface Publication {
  readonly total: number
  typeOf(sequence: number): string
  readonly report: PublisherReport
  /** How often the hub was killed, and its log with it. */
  readonly restarts: number
}

/** Draws up the account of one subscriber: every published event that matches must be there, once, in order. */
export function tally(
  publication: Publication,
  pattern: string,
  received: SubscriberReport,
): Account {
  const delivered = toNumbers(received.delivered)
  const deadLettered = toNumbers(received.deadLettered)
  const notSent = toNumbers(publication.report.notSent)
  const unknown = toNumbers(publication.report.unknown)
  const gaps = new GapList()
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
    if (arrived || deadLettered.has(sequence)) gaps.end()
    else gaps.add(sequence)
  }
  gaps.end()
  const { duplicates, suppressed } = received
  const gapNotices = received.gapNotices.length
  const account = { pattern, ...counts, duplicates, suppressed, gaps: gaps.list, gapNotices }
  return { ...account, problems: problemsOf(account, impossible, received, publication.restarts) }
}

function problemsOf(
  account: Omit<Account, 'problems'>,
  impossible: number,
  received: SubscriberReport,
  restarts: number,
): string[] {
  const { pattern, matched, delivered, missing, deadLettered, duplicates, gaps } = account
  const inGaps = gaps.reduce((sum, { events }) => sum + events, 0)
  const strange = impossible + received.strangers
  const problems: string[] = []
  if (strange > 0) problems.push(`got ${strange} events that nobody published for it`)
  if (matched !== delivered + missing + deadLettered || missing !== inGaps) {
    problems.push('its figures do not add up')
  }
  if (missing > 0) {
    problems.push(`lost ${missing} events: ${gaps.slice(0, 5).map(printRange).join(', ')}`)
  }
  if (deadLettered > 0) problems.push(`gave up ${deadLettered} events`)
  if (duplicates > 0) problems.push(`got ${duplicates} events more than once`)
  if (received.disordered > 0) problems.push(`got ${received.disordered} events out of order`)
  problems.push(...badNotices(received.gapNotices, restarts))
  return problems.map((problem) => `The subscriber of ${pattern} ${problem}`)
}

/** A new hub does not know what the log of the old one still held, so it says that there may be a gap; once. */
function badNotices(notices: SubscriberReport['gapNotices'], restarts: number): string[] {
  const others = notices.filter((reason) => reason !== 'epoch')
  const problems = others.map((reason) => `was told of a gap (${reason}) although the hub had room`)
  const restartNotices = notices.length - others.length
  if (restartNotices > restarts) {
    problems.push(`was told ${restartNotices} times of a new log, with ${restarts} restarts`)
  }
  return problems
}

/** Collects the gaps while the numbers go by. */
class GapList {
  readonly list: Gap[] = []
  #open: Gap | undefined

  /** A number that is missing. */
  add(sequence: number): void {
    if (this.#open === undefined) this.#open = { from: sequence, to: sequence, events: 1 }
    else this.#open = { ...this.#open, to: sequence, events: this.#open.events + 1 }
  }

  /** A number that is there, or the end. */
  end(): void {
    if (this.#open !== undefined) this.list.push(this.#open)
    this.#open = undefined
  }
}
