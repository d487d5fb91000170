import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { countFile, countResults, countTests } from './test-counts.mjs'

const report = (change) => ({
  success: true,
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 1,
  numTodoTests: 1,
  testResults: [{ status: 'passed', assertionResults: [{ status: 'passed' }] }],
  ...change,
})

test('counts passed and failed tests, and skipped and planned ones together', () => {
  expect(countTests(report({}))).toEqual({ passed: 3, failed: 0, skipped: 2 })
})

test('a file that failed before its first test counts as one failure', () => {
  const testResults = [
    { status: 'failed', assertionResults: [] },
    { status: 'failed', assertionResults: [{ status: 'failed' }] },
  ]
  const broken = report({ success: false, numFailedTests: 1, testResults })
  expect(countTests(broken)).toEqual({ passed: 3, failed: 2, skipped: 2 })
})

test('a run that failed outside any test is not reported as clean', () => {
  expect(countTests(report({ success: false })).failed).toBe(1)
  expect(countTests(report({}), 1).failed).toBe(1)
})

test('a run that never wrote its report counts as one failure', () => {
  expect(countFile('no/such/report.json')).toEqual({ passed: 0, failed: 1, skipped: 0 })
})

test('the lanes are added up, and a command without a report counts as one test', () => {
  const directory = mkdtempSync(join(tmpdir(), 'counts-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'report.json')
  writeFileSync(path, JSON.stringify(report({})))
  const results = ['0', `0:${path}`, '2', `1:${path}`, '1:no/such/report.json']
  expect(countResults(results)).toEqual({ passed: 7, failed: 3, skipped: 4 })
})

test('a result that is neither a status nor a status and a report is refused', () => {
  expect(() => countResults(['report.json'])).toThrow('Expected <status> or <status>:<report>')
})
