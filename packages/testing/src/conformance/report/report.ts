/** What a report says as a whole, and the part of it that is the same in every run. */
import type { Capabilities } from '@bus/core'
import type { CaseOutcome, ConformanceReport, Level, ReportedCase } from '../medium.ts'

/** How many cases concern the transport, and how many of these were tried. */
export function exercised({ cases }: Pick<StableReport, 'cases'>): {
  readonly of: number
  readonly ran: number
} {
  const concerned = cases.filter(({ status }) => status !== 'unclaimed' && status !== 'reserved')
  const ran = concerned.filter(({ status }) => status !== 'not-exercised').length
  return { of: concerned.length, ran }
}

/** `name`, or `name · variant`. */
export function reportTitle({ name, variant }: Pick<StableReport, 'name' | 'variant'>): string {
  return variant === '' ? name : `${name} · ${variant}`
}

/** A report without what differs from run to run: times, the seed, the words of a failure. */
export interface StableReport {
  readonly name: string
  readonly variant: string
  readonly capabilities: Capabilities
  readonly cases: readonly {
    readonly id: string
    readonly level: Level
    readonly title: string
    readonly status: CaseOutcome['status']
    /** Why it was left out. */
    readonly reason?: string
  }[]
}

/** The same for every run that ends the same way, so that it can be kept and compared. */
export function stableReport(report: ConformanceReport): StableReport {
  const { name, variant, capabilities, cases } = report
  return { name, variant, capabilities, cases: cases.map(stableCase) }
}

function stableCase(one: ReportedCase): StableReport['cases'][number] {
  const { id, level, title, status } = one
  return { id, level, title, status, ...('reason' in one && { reason: one.reason }) }
}
