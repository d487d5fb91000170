/** The report: the totals of a run as a table. */
import { formatCount, type Progress } from './progress.ts'
import { printRange } from './ranges.ts'
import type { SubscriberTotals, Totals } from './totals.ts'

const GAPS_SHOWN = 5

/** Prints the table, the gaps, and whether the figures add up. */
export function printReport(totals: Totals, progress: Progress): void {
  progress.print(`\n${tableOf(totals, progress)}\n`)
  for (const subscriber of totals.subscribers) printGaps(subscriber, progress)
  if (!totals.ok) {
    for (const problem of totals.problems) progress.print(progress.paint('red', `✗ ${problem}`))
    return
  }
  const text = 'The figures add up: every event was delivered to every subscriber exactly once'
  progress.print(progress.paint('green', `✓ ${text} (${totals.seconds} s)`))
}

function tableOf(totals: Totals, progress: Progress): string {
  const { publisher, subscribers } = totals
  const row = (
    label: string,
    ofPublisher: number | undefined,
    of: (subscriber: SubscriberTotals) => number | undefined,
  ): string[] => [label, cell(ofPublisher), ...subscribers.map((one) => cell(of(one)))]
  const rejected = Object.entries(totals.rejected)
  const rows = [
    ['', 'publisher', ...subscribers.map(({ name }) => name)],
    row('published', totals.published, (one) => one.matched),
    row('confirmed', totals.confirmed, () => undefined),
    ...rejected.map(([code, count]) => row(`rejected (${code})`, count, () => undefined)),
    row('delivered', undefined, (one) => one.delivered),
    row('lost', undefined, (one) => one.missing),
    row('gaps', undefined, (one) => one.gaps.length),
    row('delivered twice', undefined, (one) => one.duplicates),
    row('resent', totals.resent, () => undefined),
    row('suppressed', undefined, (one) => one.suppressed),
    row('reconnects', publisher.reconnects, (one) => one.reconnects),
    row('gap notices', undefined, (one) => one.gapNotices),
    row('dropped', publisher.dropped, (one) => one.dropped),
    row('dead letters', publisher.deadLetters, (one) => one.deadLetters),
  ]
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  )
  const lines = rows.map((cells) =>
    cells
      .map((text, i) => (i === 0 ? text.padEnd(widths?.[i] ?? 0) : text.padStart(widths?.[i] ?? 0)))
      .join('   '),
  )
  const [head = '', ...body] = lines
  const rule = '─'.repeat(head.length)
  return [progress.paint('bold', head), progress.paint('dim', rule), ...body]
    .map((line) => `  ${line}`.trimEnd())
    .join('\n')
}

function cell(count: number | undefined): string {
  return count === undefined ? '' : formatCount(count)
}

function printGaps({ name, gaps, missing }: SubscriberTotals, progress: Progress): void {
  if (gaps.length === 0) return
  progress.print(`  ${name} lost ${formatCount(missing)} events:`)
  for (const gap of gaps.slice(0, GAPS_SHOWN)) {
    progress.print(`    gap ${printRange(gap)} (${formatCount(gap.events)})`)
  }
  const more = gaps.length - GAPS_SHOWN
  if (more > 0) progress.print(`    and ${more} more gaps (--json lists all)`)
  progress.print('')
}
