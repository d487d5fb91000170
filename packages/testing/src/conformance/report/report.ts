/** The report of a run: its stable part, its comparison with a file, and what it says as a whole. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { Capabilities } from '@bus/core'
import type { CaseOutcome, ConformanceReport, CaseLevel, ReportedCase } from '../medium.ts'

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
    readonly level: CaseLevel
    readonly title: string
    readonly status: CaseOutcome['status']
    /** Why it was left out. */
    readonly reason?: string
  }[]
}

/** The same for every run that ends the same way, so that it can be kept and compared. */
function stableReport(report: ConformanceReport): StableReport {
  const { name, variant, capabilities, cases } = report
  return { name, variant, capabilities, cases: cases.map(stableCase) }
}

function stableCase(one: ReportedCase): StableReport['cases'][number] {
  const { id, level, title, status } = one
  return { id, level, title, status, ...('reason' in one && { reason: one.reason }) }
}

/** How {@link keptReport} treats its file. */
export interface KeptReportOptions {
  /** Write what was found instead of comparing with it. Suites that share a file then run one after the other. @default false */
  readonly update?: boolean | undefined
}

/**
 * Makes an `onReport` that compares with the report of the same name and variant in a JSON file, so that what is
 * documented and what is true cannot part. Several transports may share the file.
 *
 * @example
 * ```ts
 * import { keptReport } from '@bus/testing/conformance'
 *
 * const onReport = keptReport('conformance.json', { update: process.env['UPDATE'] === '1' })
 * ```
 */
export function keptReport(
  file: string | URL,
  { update = false }: KeptReportOptions = {},
): (report: ConformanceReport) => void {
  return (report) => {
    const found = stableReport(report)
    const kept = readReports(file)
    const at = kept.findIndex((one) => reportTitle(one) === reportTitle(found))
    if (update) {
      const reports = at < 0 ? [...kept, found] : kept.with(at, found)
      return writeFileSync(file, `${JSON.stringify(reports, undefined, 2)}\n`)
    }
    const differences = differencesOf(kept[at], found)
    const message = `${reportTitle(found)} differs from its report in ${String(file)}`
    assert.ok(
      differences.length === 0,
      [`${message}. Is that meant? Then update it.`, ...differences].join('\n'),
    )
  }
}

/** Which cases ended in another way, and which promises are others. */
function differencesOf(kept: StableReport | undefined, found: StableReport): string[] {
  if (kept === undefined) return ['it is not there']
  const before = new Map(kept.cases.map((one) => [one.id, one]))
  const after = new Map(found.cases.map((one) => [one.id, one]))
  const ids = new Set([...before.keys(), ...after.keys()])
  const isSame = (id: string): boolean => isDeepStrictEqual(before.get(id), after.get(id))
  const cases = [...ids]
    .filter((id) => !isSame(id))
    .map((id) => {
      const [was, is] = [before.get(id)?.status ?? 'missing', after.get(id)?.status ?? 'missing']
      return was === is ? `${id}: its title, level or reason` : `${id}: ${was}, now ${is}`
    })
  const isClaimed = isDeepStrictEqual(kept.capabilities, found.capabilities)
  return isClaimed ? cases : [...cases, 'its capabilities']
}

function readReports(file: string | URL): StableReport[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as StableReport[]) : []
}
