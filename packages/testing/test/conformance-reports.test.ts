/** What is kept of a report, and how reports are shown. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  guaranteesTable,
  keptReport,
  runCases,
  toMarkdown,
  type ConformanceReport,
} from '../src/conformance/index.ts'
import { memoryMediumForCases } from './memory-media.ts'

const found = (ids: readonly string[]): Promise<ConformanceReport> =>
  runCases({ name: 'memory', medium: memoryMediumForCases, only: ids })

async function fileForReports(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'reports-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return join(directory, 'reports.json')
}

/** The report with another end of its first case. */
function ending(report: ConformanceReport, status: 'passed' | 'failed'): ConformanceReport {
  const [first, ...others] = report.cases
  if (first === undefined) throw new Error('The report is empty')
  const { id, level, title } = first
  return { ...report, cases: [{ id, level, title, status, ms: 1, error: 'x' }, ...others] }
}

describe('a kept report', () => {
  test('is the same for another run with another seed, and stands beside those of others', async () => {
    const file = await fileForReports()
    const update = keptReport(file, { update: true })
    update(await found(['A1', 'B15']))
    update({ ...(await found(['A1'])), variant: 'again' })
    const text = await readFile(file, 'utf8')
    expect(text).not.toContain('"ms"')
    expect(text).not.toContain('"seed"')
    const compare = keptReport(file)
    compare(await found(['A1', 'B15']))
    update(await found(['A1', 'B15']))
    expect(await readFile(file, 'utf8')).toBe(text)
  })

  test('names what differs: a case that ended otherwise, one too many, another promise', async () => {
    const file = await fileForReports()
    const report = await found(['A1', 'A3'])
    const compare = keptReport(file)
    expect(() => compare(report)).toThrow('it is not there')
    keptReport(file, { update: true })(report)
    expect(() => compare(ending(report, 'failed'))).toThrow('A1: passed, now failed')
    const { cases, capabilities } = report
    expect(() => compare({ ...report, cases: cases.slice(1) })).toThrow('A1: passed, now missing')
    expect(() => compare({ ...report, capabilities: { ...capabilities, echo: false } })).toThrow(
      'its capabilities',
    )
  })
})

describe('reports as tables', () => {
  test('show each promise in words, and how many of the cases that concern it were exercised', async () => {
    const table = guaranteesTable(
      [await found(['A1', 'B9', 'B11', 'B15', 'E2'])],
      () => 'in memory',
    )
    expect(table).toMatch(/\| promise +\| in memory +\| tried by +\|/)
    expect(table).toMatch(/\| patterns `order\.\*` and `order\.>` +\| yes +\| B9 +\|/)
    expect(table).toMatch(/\| bytes as payload +\| no +\| B11 +\|/)
    expect(table).toMatch(/exercised +\| 2 of 2 +\|/)
  })

  test('do not let a promise stand that was broken or that nobody could try', async () => {
    const report = await found(['B9'])
    expect(guaranteesTable([ending(report, 'failed')])).toMatch(
      /`order\.>` +\| yes, but BROKEN +\|/,
    )
    const cases = report.cases.map((one) => ({ ...one, status: 'not-exercised' as const }))
    expect(guaranteesTable([{ ...report, cases }])).toMatch(/`order\.>` +\| yes, not exercised +\|/)
  })

  test('show every case, and why an id is reserved', async () => {
    const text = toMarkdown([await found(['A1', 'B11', 'B15'])])
    expect(text).toMatch(/\| A1 +\| MUST +\| capabilities are frozen.* \| passed +\|/)
    expect(text).toMatch(/\| B11 \| MUST +\| bytes .* \| not promised +\|/)
    expect(text).not.toMatch(/\| B15/)
    expect(text).toMatch(/^- B15, .*: A subscription begins with the present/m)
  })
})
