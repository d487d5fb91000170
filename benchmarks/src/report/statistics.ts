/** Median, least and most of a metric over the rounds. */
import type { Finding, Metric, Row } from './finding.ts'

/** What is shown of several runs. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** `undefined` of no values. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  const [min, max] = [sorted[0], sorted.at(-1)]
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]]
  if (min === undefined || max === undefined || low === undefined || high === undefined) {
    return undefined
  }
  return { median: (low + high) / 2, min, max }
}

/** A row's spread in a metric, in the unit that is shown. */
export function measure(finding: Finding, row: Row, metric: Metric): Spread | undefined {
  const { key, divisor = 1, relativeTo } = metric
  if (relativeTo !== undefined) return ratio(finding, row, relativeTo, key)
  return spreadOf(figures(row, key).map((value) => value / divisor))
}

/** How a row compares with another one, round by round: they saw the same state of the machine. */
export function ratio({ rows }: Finding, row: Row, other: string, key: string): Spread | undefined {
  const reference = rows.find(({ name }) => name === other)
  if (reference === undefined) return undefined
  const divisors = figures(reference, key)
  const ratios = figures(row, key).flatMap((value, round) => {
    const divisor = divisors[round]
    return divisor === undefined ? [] : [value / divisor]
  })
  return spreadOf(ratios)
}

function figures(row: Row, key: string): number[] {
  return row.samples.flatMap((sample) => sample[key] ?? [])
}
