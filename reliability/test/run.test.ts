/** The command: a small run of every suite, and what it says of a wrong command line. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { parseArguments } from '../src/arguments.ts'
import { CATALOGUE } from '../src/suites/catalogue.ts'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))

async function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill())
  const text = { out: '', err: '' }
  child.stdout.on('data', (data: Buffer) => (text.out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (text.err += data.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...text }
}

interface Report {
  readonly ok: boolean
  readonly seed: number
  readonly versions: Record<string, string>
  readonly bars: readonly { name: string; want: string; got: number; ok: boolean }[]
  readonly figures: Record<string, unknown>
}

const NAMES = CATALOGUE.map(({ name }) => name)

test.each(NAMES)('a small run of %s clears every bar', async (name) => {
  const { code, out } = await run('--smoke', '--seed', '1', '--only', name)
  const report = JSON.parse(out) as Report
  expect(report.bars.filter((bar) => !bar.ok)).toEqual([])
  expect(report).toMatchObject({ ok: true, seed: 1 })
  expect(Object.keys(report.figures)).toEqual([name])
  expect(Object.values(report.versions)).not.toContain('unknown')
  expect(code).toBe(0)
})

test('a run tells once a second how far it is', async () => {
  // Which suites last long enough for a line depends on the machine; the restarts always do.
  const { err } = await run('--smoke', '--seed', '1', '--only', 'restarts')
  expect(err).toMatch(/^restarts \(subscribers\) +1 s {2}\d+ of \d+, \d+ restarts$/m)
})

test('a wrong command line ends with 2 and says why', async () => {
  const { code, out, err } = await run('--only', 'order')
  expect(code).toBe(2)
  expect(out).toBe('')
  expect(err).toContain(NAMES.join(', '))
})

test('the help names every suite', async () => {
  const { code, out } = await run('--help')
  expect(code).toBe(0)
  for (const name of NAMES) expect(out).toContain(name)
})

test('without a seed each run draws its own; a seed and a suite may be named', () => {
  expect(parseArguments([]).seed).not.toBe(parseArguments([]).seed)
  const { seed, size, suites } = parseArguments(['--seed', '5', '--quick', '--only', 'gaps'])
  expect({ seed, size, suites: suites.map(({ name }) => name) }).toEqual({
    seed: 5,
    size: 'quick',
    suites: ['gaps'],
  })
  expect(parseArguments([]).size).toBe('full')
})

test.each([
  ['--seed', 'x'],
  ['--seed', ''],
  ['--seed', '-1'],
  ['--only', 'x'],
  ['--fast'],
  ['--quick', '--out', 'x.json'],
])('the command line %s %s %s is refused', (...args) => {
  expect(() => parseArguments(args)).toThrow(TypeError)
})
