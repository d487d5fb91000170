/** The figures of the house: how big its files and functions are. */

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]

/** Median, 90th percentile and largest of the packages' files and functions, and tests per code. */
export function figures(packages) {
  const sources = packages.flatMap((item) => item.sources)
  const files = sources.map(({ lines }) => lines).toSorted((a, b) => a - b)
  const functions = sources.flatMap((file) => file.functions.map(({ lines }) => lines))
  const code = files.reduce((sum, lines) => sum + lines, 0)
  const tests = packages.flatMap((item) => item.tests).reduce((sum, { lines }) => sum + lines, 0)
  return {
    files: files.length,
    median: at(files, 0.5) ?? 0,
    p90: at(files, 0.9) ?? 0,
    largest: files.at(-1) ?? 0,
    longestFunction: Math.max(0, ...functions),
    code,
    testsPerCode: code === 0 ? 0 : Math.round((tests / code) * 10) / 10,
  }
}
