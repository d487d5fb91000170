import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import type { Finding } from '../src/report/finding.ts'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))

async function bench(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill())
  let output = ''
  const read = (chunk: Buffer): void => void (output += chunk.toString())
  child.stdout.on('data', read)
  child.stderr.on('data', read)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output }
}

test(
  'a run measures ours and a peer, and writes samples and plots',
  { timeout: 60_000 },
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'bench-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const json = join(directory, 'report.json')
    const { code, output } = await bench([
      '--smoke',
      '--only=throughput,fan-out,log-growth',
      '--contenders=bus-plain,bus,ws',
      `--json=${json}`,
      `--plot-to=${directory}`,
    ])
    expect(output).toContain('throughput orders · round 1/1 · bus-plain: ')
    expect(code).toBe(0)
    const { findings } = JSON.parse(readFileSync(json, 'utf8')) as { findings: Finding[] }
    const measured = findings.map(({ name, rows }) => [name, rows.map((row) => row.samples.length)])
    expect(measured).toEqual([
      ['throughput-orders-at-most-once', [1, 1, 1]],
      ['throughput-orders-at-least-once', [1, 1]],
      ['throughput-github-at-most-once', [1, 1, 1]],
      ['throughput-github-at-least-once', [1, 1]],
      ['fan-out', [1, 1, 1]],
      ['log-growth', [1, 1]],
    ])
    const plots = readdirSync(directory).filter((name) => name.endsWith('.svg'))
    expect(plots).toHaveLength(findings.length)
  },
)

test('an option that is not known ends with 2 and says so', async () => {
  const { code, output } = await bench(['--fast'])
  expect(code).toBe(2)
  expect(output).toContain('--fast')
})
