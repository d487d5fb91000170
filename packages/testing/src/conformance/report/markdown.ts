/** Reports of several transports as tables: what each promises, and how each case ended. */
import type { CaseOutcome } from '../medium.ts'
import { PROMISES, type PromiseInWords } from './promises.ts'
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
export type Tabled = Pick<StableReport, 'name' | 'variant' | 'capabilities' | 'cases'>

/** Both tables, with what is reserved and why. */
export function toMarkdown(reports: readonly Tabled[]): string {
  const reserved = rowsOf(reports).filter(({ status }) => status === 'reserved')
  const reasons = reserved.map(({ id, title, reason = '' }) => `- ${id}, ${title}: ${reason}`)
  return [guaranteesTable(reports), casesTable(reports), reasons.join('\n')]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** A row for each promise, in words; a column for each transport; and how many of the cases were exercised. */
export function guaranteesTable(
  reports: readonly Tabled[],
  titleOf: (report: Tabled) => string = reportTitle,
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
export function casesTable(reports: readonly Tabled[]): string {
  const head = ['id', 'level', 'what holds', ...reports.map(reportTitle)]
  const rows = rowsOf(reports).filter(({ status }) => status !== 'reserved')
  const lines = rows.map(({ id, level, title }) => {
    const outcomes = reports.map(({ cases }) => cases.find((one) => one.id === id))
    return [id, level, title, ...outcomes.map((one) => (one ? WORDS[one.status] : ''))]
  })
  return table([head, ...lines])
}

/** A promise that was broken, or that nobody could try, is no promise. */
function claimOf(row: PromiseInWords, { capabilities, cases }: Tabled): string {
  const words = row.claim(capabilities)
  const outcomes = cases.filter(({ id }) => row.cases.includes(id)).map(({ status }) => status)
  if (outcomes.includes('failed')) return `${words}, but BROKEN`
  const isTried = !outcomes.includes('not-exercised') || outcomes.includes('passed')
  return isTried ? words : `${words}, not exercised`
}

/** Each case once, in the order of letters and numbers. */
function rowsOf(reports: readonly Tabled[]): Tabled['cases'][number][] {
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
