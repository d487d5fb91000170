/** Findings as tables of text. */
import type { Finding, Metric, Row } from './finding.ts'
import { measure, ratio, type Spread } from './statistics.ts'

/** The table of one finding under its title: medians with least and most. */
export function tableOf(finding: Finding): string {
  const { title, metrics, reference, rows } = finding
  const head = ['', ...metrics.map(({ label }) => label)]
  if (reference !== undefined) head.push(`× ${reference}`)
  const lines = rows.map((row) => cellsOf(finding, row))
  const all = [head, ...lines.map(({ cells }) => cells)]
  const widths = head.map((_, column) =>
    Math.max(...all.map((cells) => cells[column]?.length ?? 0)),
  )
  const layOut = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
  const body = lines.map(({ cells, note }) => `${layOut(cells)}  ${note}`.trimEnd())
  return [title, layOut(head), ...body].join('\n')
}

function cellsOf(finding: Finding, row: Row): { cells: string[]; note: string } {
  const { metrics, reference } = finding
  const cells = metrics.map((metric) => format(measure(finding, row, metric), metric.digits))
  const [first] = metrics
  if (reference !== undefined && first !== undefined) {
    cells.push(format(ratio(finding, row, reference, first.key), 2))
  }
  return { cells: [row.name, ...cells], note: row.problem ?? row.note }
}

/** `198.3 (190.0–206.1)`; a dash for nothing. */
export function format(spread: Spread | undefined, digits: Metric['digits']): string {
  if (spread === undefined) return '–'
  const { median, min, max } = spread
  const [middle, low, high] = [median, min, max].map((value) => grouped(value, digits))
  return min === max ? `${middle}` : `${middle} (${low}–${high})`
}

function grouped(value: number, digits: number): string {
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
}
