/** Ranges of sequence numbers: many numbers in few words. */

/** The numbers from `from` to `to`, both included. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** The numbers as ranges, in order; each number counts once. */
export function toRanges(numbers: Iterable<number>): Range[] {
  const ranges: { from: number; to: number }[] = []
  for (const number of [...numbers].toSorted((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last !== undefined && number <= last.to + 1) last.to = number
    else ranges.push({ from: number, to: number })
  }
  return ranges
}

/** Every number of the ranges. */
export function toNumbers(ranges: readonly Range[]): Set<number> {
  const numbers = new Set<number>()
  for (const { from, to } of ranges) {
    for (let number = from; number <= to; number++) numbers.add(number)
  }
  return numbers
}

/** `7`, or `7–12`. */
export function printRange({ from, to }: Range): string {
  return from === to ? String(from) : `${from}–${to}`
}
