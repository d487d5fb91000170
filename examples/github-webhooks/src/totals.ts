/** The totals of a run: what its processes reported, added up. */
import type { JobReport } from './job.ts'
import type { PublisherReport, SubscriberReport } from './messages.ts'
import { formatCount } from './progress.ts'
import type { Account, Guarantee } from './tally.ts'

/** A subscriber's account with the figures of its process. */
export interface SubscriberTotals extends Account {
  readonly name: string
  readonly reconnects: number
  readonly dropped: number
  readonly deadLetters: number
}

/** The totals of a run; the shape of `--json`. */
export interface Totals {
  /** Every event was delivered or is accounted for by name. */
  readonly ok: boolean
  readonly guarantee: Guarantee
  readonly events: number
  readonly published: number
  /** Delivered events of each subscriber, each counted once. */
  readonly delivered: Readonly<Record<string, number>>
  readonly rejected: PublisherReport['rejected']
  readonly resent: number
  readonly reconnects: number
  readonly dropped: number
  readonly deadLetters: number
  readonly gaps: number
  readonly seconds: number
  readonly disturbances: readonly string[]
  readonly publisher: Pick<PublisherReport, 'reconnects' | 'dropped' | 'deadLetters'>
  readonly subscribers: readonly SubscriberTotals[]
  /** What does not add up. */
  readonly problems: readonly string[]
}

/** What the totals are made of. */
export interface Figures {
  readonly events: number
  readonly seconds: number
  readonly guarantee: Guarantee
  readonly job: JobReport
  /** In the order of the job's subscribers. */
  readonly accounts: readonly (Account & { readonly name: string })[]
}

/** Adds up. */
export function totalsOf({ events, seconds, guarantee, job, accounts }: Figures): Totals {
  const { publisher, disturbances } = job
  const subscribers = accounts.map((account, i) => withFigures(account, job.subscribers[i]))
  const rejected = sum(Object.values(publisher.rejected))
  const problems = accounts.flatMap((account) => account.problems)
  if (publisher.published + rejected !== events) {
    const settled = formatCount(publisher.published + rejected)
    problems.unshift(`Of ${formatCount(events)} publishes only ${settled} were settled`)
  }
  const everyone = [publisher, ...subscribers]
  return {
    ok: problems.length === 0,
    guarantee,
    events,
    published: publisher.published,
    delivered: Object.fromEntries(accounts.map(({ name, delivered }) => [name, delivered])),
    rejected: publisher.rejected,
    resent: publisher.resent,
    reconnects: sum(everyone.map((one) => one.reconnects)),
    dropped: sum(everyone.map((one) => one.dropped)),
    deadLetters: sum(everyone.map((one) => one.deadLetters)),
    gaps: sum(accounts.map(({ gaps }) => gaps.length)),
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
