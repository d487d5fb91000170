/** The suite registers with any runner, and reports what it left out. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import {
  transportConformance,
  type ConformanceReport,
  type TestRunner,
} from '../src/conformance/index.ts'
import { memoryMediumForCases } from './memory-media.ts'

test('runs under node:test', async () => {
  const file = fileURLToPath(new URL('./conformance-node-runner.mjs', import.meta.url))
  const { NODE_OPTIONS: _options, ...env } = process.env
  const { stdout } = await promisify(execFile)(process.execPath, ['--test', file], {
    env,
    timeout: 50_000,
  })
  expect(stdout).toContain('B1 MUST ')
  expect(stdout).toContain('A1 passed,B1 passed')
  expect(stdout).toMatch(/pass 3/)
})

/** Registers like a runner, and keeps what was registered. */
function notingRunner(): TestRunner & { readonly groups: string[]; readonly tests: string[] } {
  const groups: string[] = []
  const tests: string[] = []
  const bodies: (() => Promise<void>)[] = []
  const it = Object.assign(
    (name: string, body: () => Promise<void>) => {
      tests.push(name)
      bodies.push(body)
    },
    { skip: (name: string) => void tests.push(`skipped: ${name}`) },
  )
  const describe = (name: string, body: () => void): void => {
    groups.push(name)
    body()
  }
  return { groups, tests, describe, it }
}

test('registers a group for the medium and one for each variant, named after both', async () => {
  const runner = notingRunner()
  await transportConformance(runner, {
    name: 'memory',
    medium: memoryMediumForCases,
    variants: { again: memoryMediumForCases },
    only: ['A1'],
  })
  expect(runner.groups).toEqual(['memory', 'memory · again'])
  expect(runner.tests).toEqual([
    expect.stringMatching(/^A1 MUST capabilities/),
    expect.stringMatching(/^A1 MUST capabilities/),
  ])
})

test('hands a report over when the last case of a variant is done, and fails with what that throws', async () => {
  const reports: ConformanceReport[] = []
  const bodies: (() => Promise<void>)[] = []
  const skip = (): void => {}
  const it = Object.assign((_name: string, body: () => Promise<void>) => bodies.push(body), {
    skip,
  })
  const runner = { describe: (_name: string, body: () => void) => body(), it }
  await transportConformance(runner, {
    name: 'memory',
    medium: memoryMediumForCases,
    only: ['A1'],
    seed: 7,
    onReport: (report) => {
      reports.push(report)
      throw new Error('not as committed')
    },
  })
  const [runCase, handOver] = bodies
  await runCase?.()
  expect(reports).toEqual([])
  await expect(handOver?.()).rejects.toThrow('not as committed')
  expect(reports).toMatchObject([
    { name: 'memory', variant: '', seed: 7, cases: [{ id: 'A1', status: 'passed' }] },
  ])
})
