/** Runs some tests with one bug planted, in a process of their own, and tells which of them noticed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CHANGE_VARIABLE } from './plant.ts'
import type { SeededBug } from './seeded-bug.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs')
/** Milliseconds that the tests of one bug may take: a bug may make them hang. */
const DEADLINE_MS = 120_000

/** One test, as vitest's JSON reporter tells of it. */
interface TestResult {
  readonly fullName: string
  readonly status: string
}

interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly message: string
    readonly assertionResults: readonly TestResult[]
  }[]
}

/** How a test that has the id ended. `missing`: there is none. */
export type Noticed = 'failed' | 'passed' | 'missing'

/** @returns for each named id, as `file id`, whether the test noticed */
export async function runTests(bug: SeededBug): Promise<ReadonlyMap<string, Noticed>> {
  const directory = await mkdtemp(join(tmpdir(), 'bus-mutant-'))
  try {
    const outputFile = join(directory, 'report.json')
    await runVitest(bug, outputFile)
    const report = JSON.parse(await readFile(outputFile, 'utf8')) as Report
    const results = new Map<string, Noticed>()
    for (const [file, ids] of Object.entries(bug.caughtBy)) {
      for (const id of ids) results.set(`${file} ${id}`, noticed(report, file, id))
    }
    return results
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function runVitest(bug: SeededBug, outputFile: string): Promise<void> {
  const { file, find, replace, caughtBy } = bug
  const ids = [...new Set(Object.values(caughtBy).flat())]
  const child = spawn(
    process.execPath,
    [
      VITEST,
      'run',
      '--config=mutants/vitest.config.ts',
      '--reporter=json',
      `--outputFile=${outputFile}`,
      '--maxWorkers=1',
      '--testTimeout=10000',
      `--testNamePattern=\\b(?:${ids.join('|')})\\b`,
      ...Object.keys(caughtBy),
    ],
    {
      cwd: ROOT,
      env: { ...process.env, [CHANGE_VARIABLE]: JSON.stringify({ file, find, replace }) },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: a bug may keep a worker of vitest busy for ever, which would outlive it.
      detached: true,
    },
  )
  const deadline = setTimeout(() => killGroup(child.pid), DEADLINE_MS)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => (output += data.toString()))
  }
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  clearTimeout(deadline)
  killGroup(child.pid)
  // 1: some failed, which is what we are here for.
  if (code === 0 || code === 1) return
  throw new Error(`The tests of ${bug.name} ended with ${code ?? signal}:\n${output.slice(-2_000)}`)
}

/** Ends the process and whatever it has started. */
function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody of it is left.
  }
}

function noticed(report: Report, file: string, id: string): Noticed {
  const suites = report.testResults.filter(({ name }) => name.endsWith(`/${file}`))
  const isNamed = new RegExp(`\\b${id}\\b`)
  const tests = suites
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ fullName, status }) => isNamed.test(fullName) && status !== 'skipped')
  if (tests.length === 0) {
    const messages = suites.map(({ message }) => message).filter((message) => message !== '')
    if (messages.length > 0) throw new Error(`${file}: ${messages.join('; ')}`)
    return 'missing'
  }
  return tests.some(({ status }) => status === 'failed') ? 'failed' : 'passed'
}
