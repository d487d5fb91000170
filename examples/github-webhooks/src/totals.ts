/** The totals of a run: what its processes reported, added up. */
import type { JobReport } from './job.ts'
import type { PublisherReport, SubscriberReport } from './messages.ts'
import { formatCount } from './progress.ts'
import type { Account } from './tally.ts'

/** A subscriber's account with the figures of its process. */
export interface SubscriberTotals extends Account {
  readonly name: string
  readonly reconnects: number
  readonly dropped: number
  readonly deadLetters: number
}

/** The totals of a run; the shape of `--json`. */
export interface Totals {
  /** Every event was delivered to every subscriber exactly once, in order, and the sums add up. */
  readonly ok: boolean
  readonly guarantee: PublisherReport['guarantee']
  readonly events: number
  readonly published: number
  /** Those that every subscriber had settled when the publisher got the confirmation. */
  readonly confirmed: number
  /** Delivered events of each subscriber, each counted once. */
  readonly delivered: Readonly<Record<string, number>>
  readonly rejected: PublisherReport['rejected']
  readonly resent: number
  /** Events that arrived again and were kept from a handler. */
  readonly suppressed: number
  /** Events that a handler got again. */
  readonly duplicates: number
  readonly reconnects: number
  readonly dropped: number
  readonly deadLetters: number
  /** Runs of numbers that did not arrive. */
  readonly gaps: number
  /** Times that the hub said that events may be missing: once to each subscriber after its restart. */
  readonly gapNotices: number
  readonly seconds: number
  readonly disturbances: readonly string[]
  readonly publisher: Pick<PublisherReport, 'reconnects' | 'dropped' | 'deadLetters'>
  readonly subscribers: readonly SubscriberTotals[]
  /** What is not as it must be. */
  readonly problems: readonly string[]
}

/** What the totals are made of. */
export interface Figures {
  readonly events: number
  readonly seconds: number
  readonly job: JobReport
  /** In the order of the job's subscribers. */
  readonly accounts: readonly (Account & { readonly name: string })[]
}

/** Adds up. */
export function totalsOf({ events, seconds, job, accounts }: Figures): Totals {
  const { publisher, disturbances } = job
  const subscribers = accounts.map((account, i) => withFigures(account, job.subscribers[i]))
  const problems = [
    ...problemsOf(publisher, events),
    ...accounts.flatMap((account) => account.problems),
  ]
  const everyone = [publisher, ...subscribers]
  return {
    ok: problems.length === 0,
    guarantee: publisher.guarantee,
    events,
    published: publisher.published,
    confirmed: publisher.confirmed,
    delivered: Object.fromEntries(accounts.map(({ name, delivered }) => [name, delivered])),
    rejected: publisher.rejected,
    resent: publisher.resent,
    suppressed: sum(accounts.map(({ suppressed }) => suppressed)),
    duplicates: sum(accounts.map(({ duplicates }) => duplicates)),
    reconnects: sum(everyone.map((one) => one.reconnects)),
    dropped: sum(everyone.map((one) => one.dropped)),
    deadLetters: sum(everyone.map((one) => one.deadLetters)),
    gaps: sum(accounts.map(({ gaps }) => gaps.length)),
    gapNotices: sum(accounts.map(({ gapNotices }) => gapNotices)),
    seconds,
    disturbances,
    publisher: {
      reconnects: publisher.reconnects,
      dropped: publisher.dropped,
      deadLetters: publisher.deadLetters,
    },
    subscribers,
    problems,
  }
}

function problemsOf(
  { published, confirmed, rejected, guarantee }: PublisherReport,
  events: number,
): string[] {
  const problems: string[] = []
  const failed = sum(Object.values(rejected))
  if (guarantee !== 'at-least-once') problems.push(`The hub promised only ${guarantee}`)
  if (published + failed !== events) {
    const settled = formatCount(published + failed)
    problems.push(`Of ${formatCount(events)} publishes only ${settled} were settled`)
  }
  for (const [code, count] of Object.entries(rejected)) {
    problems.push(`${formatCount(count)} events could not be published (${code})`)
  }
  if (confirmed !== published) {
    problems.push(
      `${formatCount(published - confirmed)} events were published without a confirmation`,
    )
  }
  return problems
}

function withFigures(
  account: Account & { readonly name: string },
  report: SubscriberReport | undefined,
): SubscriberTotals {
  const { reconnects = 0, dropped = 0, deadLetters = 0 } = report ?? {}
  return { ...account, reconnects, dropped, deadLetters }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
