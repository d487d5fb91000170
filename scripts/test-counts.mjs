// Prints what a vitest JSON report says as one line, `N passed, N failed, N skipped`, the last of the output.
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

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { passed, failed, skipped } = countFile(process.argv[2], Number(process.argv[3] ?? 0))
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
  process.exitCode = failed > 0 ? 1 : 0
}
