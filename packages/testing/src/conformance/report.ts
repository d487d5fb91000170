/** The reports of several transports as one document. */
import type { CaseOutcome, ConformanceReport, ReportedCase } from './medium.ts'

const WORDS: Readonly<Record<CaseOutcome['status'], string>> = Object.freeze({
  passed: 'passed',
  failed: 'FAILED',
  warned: 'warned',
  unclaimed: 'not promised',
  'not-exercised': 'not exercised',
  reserved: 'reserved',
})

/** How many cases concern the transport, and how many of these were tried. */
export function exercised({ cases }: ConformanceReport): {
  readonly of: number
  readonly ran: number
} {
  const concerned = cases.filter(({ status }) => status !== 'unclaimed' && status !== 'reserved')
  const ran = concerned.filter(({ status }) => status !== 'not-exercised').length
  return { of: concerned.length, ran }
}

/** `name`, or `name · variant`. */
export function reportTitle({ name, variant }: ConformanceReport): string {
  return variant === '' ? name : `${name} · ${variant}`
}

/** What is the same in every run that ends the same way: without times, and without the seed. */
export function stableReport(report: ConformanceReport): object {
  const { name, variant, capabilities, cases } = report
  return { name, variant, capabilities, cases: cases.map(stableCase) }
}

/** The matrix of the cases: a row for each, a column for each report, and how many were exercised. */
export function toMarkdown(reports: readonly ConformanceReport[]): string {
  const rows = new Map(reports.flatMap(({ cases }) => cases.map((one) => [one.id, one] as const)))
  const head = ['id', 'level', 'promise', ...reports.map(reportTitle)]
  const lines = [...rows.values()].toSorted(byId).map(({ id, level, title }) => {
    const outcomes = reports.map(({ cases }) => cases.find((one) => one.id === id))
    return [id, level, title, ...outcomes.map((one) => (one ? WORDS[one.status] : ''))]
  })
  const counts = reports.map((report) => `${exercised(report).ran} of ${exercised(report).of}`)
  return table([head, ...lines, ['', '', 'exercised', ...counts]])
}

/** A Markdown table whose columns are aligned, as the formatter writes it. */
function table([head = [], ...lines]: readonly (readonly string[])[]): string {
  const all = [head, ...lines]
  const widths = head.map((_, at) => Math.max(3, ...all.map((cells) => cells[at]?.length ?? 0)))
  const row = (cells: readonly string[]): string =>
    `| ${widths.map((width, at) => (cells[at] ?? '').padEnd(width)).join(' | ')} |`
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [row(head), rule, ...lines.map(row)].join('\n')
}

function stableCase(one: ReportedCase): object {
  const { ms: _ms, ...rest } = { ms: 0, ...one }
  return rest
}

function byId(a: ReportedCase, b: ReportedCase): number {
  return a.id.localeCompare(b.id, 'en', { numeric: true })
}
