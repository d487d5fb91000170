// Prints what several commands and their vitest JSON reports say as one line, `N passed, N failed, N skipped`.
import { pathToFileURL } from 'node:url'
import { readFileSync } from 'node:fs'

/**
 * Counts a report. A file that could not run is a failure of its own, and so is whatever made the run end with
 * another status than 0 without a failed test, such as an unhandled rejection.
 */
export function countTests(report, exit = 0) {
  const unrun = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length
  const failed = report.numFailedTests + unrun
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && (exit !== 0 || !report.success) ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

/** The report's counts, or one failure where there is no report because the tests never started. */
export function countFile(path, exit = 0) {
  let text
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return { passed: 0, failed: 1, skipped: 0 }
    throw error
  }
  return countTests(JSON.parse(text), exit)
}

/** The sum over results: `<status>` is a command that counts as one test, `<status>:<report>` one with a report. */
export function countResults(results) {
  const total = { passed: 0, failed: 0, skipped: 0 }
  for (const result of results) {
    const match = /^(?<status>\d+)(?::(?<report>.+))?$/.exec(result)
    if (match === null) {
      throw new TypeError(`Expected <status> or <status>:<report>, got ${result}`)
    }
    const { status, report = '' } = match.groups
    const exit = Number(status)
    const alone = { passed: exit === 0 ? 1 : 0, failed: exit === 0 ? 0 : 1, skipped: 0 }
    const counts = report === '' ? alone : countFile(report, exit)
    for (const name of Object.keys(total)) total[name] += counts[name]
  }
  return total
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { passed, failed, skipped } = countResults(process.argv.slice(2))
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
  process.exitCode = failed > 0 ? 1 : 0
}
