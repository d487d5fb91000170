/** Reports of several transports as tables: what each promises, and how each case ended. */
import type { Capabilities } from '@bus/core'
import type { CaseOutcome } from '../medium.ts'
import { exercised, reportTitle, type StableReport } from './report.ts'

const WORDS: Readonly<Record<CaseOutcome['status'], string>> = Object.freeze({
  passed: 'passed',
  failed: 'FAILED',
  warned: 'warned',
  unclaimed: 'not promised',
  'not-exercised': 'not exercised',
  reserved: 'reserved',
})

/** What a table is made of; a `ConformanceReport` is one too. */
export type TableReport = Pick<StableReport, 'name' | 'variant' | 'capabilities' | 'cases'>

/** Both tables, with what is reserved and why. */
export function toMarkdown(reports: readonly TableReport[]): string {
  const reserved = rowsOf(reports).filter(({ status }) => status === 'reserved')
  const reasons = reserved.map(({ id, title, reason = '' }) => `- ${id}, ${title}: ${reason}`)
  return [guaranteesTable(reports), casesTable(reports), reasons.join('\n')]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** A row for each promise, in words; a column for each transport; and how many of the cases were exercised. */
export function guaranteesTable(
  reports: readonly TableReport[],
  titleOf: (report: TableReport) => string = reportTitle,
): string {
  const rows = PROMISES.map((row) => [
    row.promise,
    ...reports.map((report) => claimOf(row, report)),
    row.cases.join(', '),
  ])
  const counts = reports.map((report) => {
    const { ran, of } = exercised(report)
    return `${ran} of ${of}`
  })
  const head = ['promise', ...reports.map(titleOf), 'tried by']
  return table([head, ...rows, ['cases that concern it, exercised', ...counts, 'the suite']])
}

/** A row for each case that the contract has, a column for each transport. */
export function casesTable(reports: readonly TableReport[]): string {
  const head = ['id', 'level', 'what holds', ...reports.map(reportTitle)]
  const rows = rowsOf(reports).filter(({ status }) => status !== 'reserved')
  const lines = rows.map(({ id, level, title }) => {
    const outcomes = reports.map(({ cases }) => cases.find((one) => one.id === id))
    return [id, level, title, ...outcomes.map((one) => (one ? WORDS[one.status] : ''))]
  })
  return table([head, ...lines])
}

/** A guarantee that failed, or that could not be tested, is marked. */
function claimOf(row: PromiseInWords, { capabilities, cases }: TableReport): string {
  const words = row.claim(capabilities)
  const outcomes = cases.filter(({ id }) => row.cases.includes(id)).map(({ status }) => status)
  if (outcomes.includes('failed')) return `${words}, but BROKEN`
  const isTried = !outcomes.includes('not-exercised') || outcomes.includes('passed')
  return isTried ? words : `${words}, not exercised`
}

/** Each case once, in the order of letters and numbers. */
function rowsOf(reports: readonly TableReport[]): TableReport['cases'][number][] {
  const rows = new Map(reports.flatMap(({ cases }) => cases.map((one) => [one.id, one] as const)))
  return [...rows.values()].toSorted((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }))
}

/** A Markdown table with columns of even width. */
function table(lines: readonly (readonly string[])[]): string {
  const [head = []] = lines
  const widths = head.map((_, at) => Math.max(3, ...lines.map((cells) => cells[at]?.length ?? 0)))
  const row = (cells: readonly string[]): string =>
    `| ${widths.map((width, at) => (cells[at] ?? '').padEnd(width)).join(' | ')} |`
  const rule = row(widths.map((width) => '-'.repeat(width)))
  return [row(head), rule, ...lines.slice(1).map(row)].join('\n')
}

/** One row of the table of guarantees. */
interface PromiseInWords {
  readonly promise: string
  /** What the transport says of it. */
  claim(capabilities: Capabilities): string
  /** The cases that try it where it is promised. */
  readonly cases: readonly string[]
}

const MIB = 1_024 * 1_024

const ORDERS: Readonly<Record<Capabilities['ordering'], string>> = {
  none: 'no',
  'per-publisher': 'per publisher',
  total: 'one for all',
}

const INBOUND_BACKPRESSURE: Readonly<Record<Capabilities['backpressure']['inbound'], string>> = {
  credits: 'yes, by withheld credits',
  pause: 'yes, by not reading on',
  none: 'no',
}

const yesNo = (claimed: boolean): string => (claimed ? 'yes' : 'no')

/** In the order of the table. */
const PROMISES: readonly PromiseInWords[] = Object.freeze([
  {
    promise: 'delivery',
    claim: (c) => (c.delivery === 'at-least-once' ? 'at least once' : 'at most once'),
    cases: ['B1', 'E2', 'G2'],
  },
  {
    promise: 'a publish resolves when',
    claim: (c) =>
      c.publishConfirm ? 'the medium has accepted it' : 'it was handed to the network',
    cases: ['E1'],
  },
  { promise: 'order', claim: (c) => ORDERS[c.ordering], cases: ['C1', 'C2', 'C7'] },
  {
    promise: 'patterns `order.*` and `order.>`',
    claim: (c) => yesNo(c.wildcards),
    cases: ['B9'],
  },
  {
    promise: 'a publisher’s own events reach it',
    claim: (c) => yesNo(c.echo),
    cases: ['B5'],
  },
  {
    promise: 'reconnects, with its subscriptions',
    claim: (c) => yesNo(c.reconnect),
    cases: ['G1', 'G6', 'G7'],
  },
  {
    promise: 'what was missed during a break is delivered later',
    claim: (c) => yesNo(c.resume),
    cases: ['G2', 'G4'],
  },
  {
    promise: 'what can no longer be delivered is reported',
    claim: (c) => (c.gaps ? 'yes, by a `gap` before later events' : 'no'),
    cases: ['G3', 'G5'],
  },
  {
    promise: 'duplicates are removed',
    claim: (c) => yesNo(c.dedupe),
    cases: ['E4', 'G13'],
  },
  {
    promise: 'a slow handler slows publishers down',
    claim: (c) => INBOUND_BACKPRESSURE[c.backpressure.inbound],
    cases: ['F1', 'F5', 'F6'],
  },
  {
    promise: 'a full outbox makes publishers wait',
    claim: (c) => yesNo(c.backpressure.outbound === 'block'),
    cases: ['F3', 'F7'],
  },
  { promise: 'bytes as payload', claim: (c) => yesNo(c.binary), cases: ['B11'] },
  { promise: 'largest event', claim: ({ maxPayload }) => sizeOf(maxPayload), cases: ['A8'] },
])

function sizeOf(bytes: number): string {
  const mebibytes = Math.round(bytes / MIB)
  return bytes % MIB === 0 || mebibytes > 100 ? `${mebibytes} MiB` : `${bytes} bytes`
}
