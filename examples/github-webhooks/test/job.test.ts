import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import type { Totals } from '../src/totals.ts'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const TIMEOUT_MS = 60_000

interface Run {
  readonly pid: number
  /** Resolves when standard error holds the text. */
  says(text: string): Promise<string>
  signal(name: NodeJS.Signals): void
  readonly ended: Promise<{
    readonly code: number | null
    readonly out: string
    readonly err: string
  }>
}

/** The main job as a process of its own, which ends with the test. */
function start(...args: string[]): Run {
  if (!existsSync(MAIN)) throw new Error('The example is not built: run `npm run build`')
  const job = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const text = { out: '', err: '' }
  job.stdout.on('data', (data) => (text.out += String(data)))
  job.stderr.on('data', (data) => (text.err += String(data)))
  const ended = once(job, 'close').then(([code]) => ({ code: code as number | null, ...text }))
  onTestFinished(async () => {
    job.kill('SIGTERM')
    await ended
  })
  const says = async (wanted: string): Promise<string> => {
    while (!text.err.includes(wanted)) {
      await Promise.race([
        once(job.stderr, 'data'),
        ended.then(() => Promise.reject(new Error(`It ended without "${wanted}": ${text.err}`))),
      ])
    }
    return text.err
  }
  return { pid: job.pid ?? 0, says, signal: (name) => void job.kill(name), ended }
}

async function fileOf(lines: readonly unknown[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'events-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const path = join(directory, 'events.jsonl')
  await writeFile(path, lines.map((line) => JSON.stringify(line)).join('\n'))
  return path
}

function totalsIn(out: string): Totals {
  return JSON.parse(out.trimEnd().split('\n').at(-1) ?? '') as Totals
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test(
  'delivers every event to every subscriber exactly once although links are cut and the hub is killed',
  async () => {
    const { code, out, err } = await start('--json', '--events', '2000').ended
    const totals = totalsIn(out)
    expect({ code, err: code === 0 ? '' : err, problems: totals.problems }).toEqual({
      code: 0,
      err: '',
      problems: [],
    })
    expect(totals).toMatchObject({
      ok: true,
      guarantee: 'at-least-once',
      events: 2_000,
      published: 2_000,
      confirmed: 2_000,
      rejected: {},
      duplicates: 0,
      dropped: 0,
      deadLetters: 0,
      gaps: 0,
    })
    expect(totals.disturbances).toHaveLength(3)
    expect(totals.publisher.reconnects).toBeGreaterThanOrEqual(1)
    for (const subscriber of totals.subscribers) {
      expect(subscriber.reconnects).toBeGreaterThanOrEqual(1)
      expect(subscriber.delivered).toBe(subscriber.matched)
      expect(totals.delivered[subscriber.name]).toBe(subscriber.matched)
    }
    const [issues, everything] = totals.subscribers
    expect(everything?.matched).toBe(2_000)
    expect(issues?.matched).toBeGreaterThan(100)
    expect(issues?.matched).toBeLessThan(300)
  },
  TIMEOUT_MS,
)

test(
  'publishes the events of a file once',
  async () => {
    const path = await fileOf([
      { type: 'github.issues.opened', payload: { n: 1 } },
      { id: 'e-2', event_type: 'order.paid', payload: null, metadata: { source: 'shop' } },
      { type: 'github.issues.closed', payload: 'x' },
    ])
    const { code, out, err } = await start('--json', '--file', path).ended
    expect({ code, err }).toMatchObject({ code: 0 })
    expect(err).toContain('no link is cut')
    expect(totalsIn(out)).toMatchObject({
      ok: true,
      events: 3,
      published: 3,
      delivered: { 'github.issues.*': 2, everything: 3 },
      reconnects: 0,
      resent: 0,
      suppressed: 0,
      gaps: 0,
      gapNotices: 0,
      disturbances: [],
    })
  },
  TIMEOUT_MS,
)

test(
  'an event that is refused is named by the code of its error, and fails the job',
  async () => {
    const path = await fileOf([
      { type: 'order.created', payload: 'x'.repeat(2 * 1024 * 1024) },
      { type: 'order.created', payload: 1 },
    ])
    const { code, out, err } = await start('--json', '--file', path).ended
    expect(code).toBe(1)
    expect(err).toContain('1 events could not be published (too-large)')
    expect(totalsIn(out)).toMatchObject({
      ok: false,
      published: 1,
      rejected: { 'too-large': 1 },
      delivered: { everything: 1 },
    })
  },
  TIMEOUT_MS,
)

test(
  'prints a table without --json',
  async () => {
    const { code, out } = await start('--events', '20').ended
    expect(code).toBe(0)
    expect(out).toMatch(/published +20 +\d+ +20\n/)
    expect(out).toMatch(/confirmed +20\n/)
    expect(out).toMatch(/delivered +\d+ +20\n/)
    expect(out).toContain('every event was delivered to every subscriber exactly once')
  },
  TIMEOUT_MS,
)

test('a bad line ends it with 2 and the name of file and line', async () => {
  const path = await fileOf([
    { type: 'a', payload: 1 },
    { type: 'a b', payload: 1 },
  ])
  const { code, out, err } = await start('--json', '--file', path).ended
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toContain(`${path}:2: `)
})

test('an unknown flag ends it with 2 and the usage; --help with 0', async () => {
  const mistake = await start('--loud').ended
  expect(mistake.code).toBe(2)
  expect(mistake.err).toContain('Usage: npm start')
  const help = await start('--help').ended
  expect(help).toMatchObject({ code: 0, out: expect.stringContaining('--file PATH') })
})

test(
  'a hub that dies by itself ends the job with a clear message, and the other processes',
  async () => {
    const run = start('--json', '--events', '20000')
    const said = await run.says('two subscribers are live')
    const hub = Number(/hub \(process (\d+)\)/.exec(said)?.[1])
    process.kill(hub, 'SIGKILL')
    const { code, out, err } = await run.ended
    expect(code).toBe(1)
    expect(err).toContain(`The hub (process ${hub}) ended unexpectedly by SIGKILL`)
    expect(totalsIn(out)).toMatchObject({ ok: false })
  },
  TIMEOUT_MS,
)

test(
  'an interrupt ends all processes and exits with 130',
  async () => {
    const run = start('--json', '--events', '20000')
    const said = await run.says('two subscribers are live')
    const hub = Number(/hub \(process (\d+)\)/.exec(said)?.[1])
    expect(isAlive(hub)).toBe(true)
    run.signal('SIGINT')
    expect(await run.ended).toMatchObject({ code: 130, out: '' })
    expect(isAlive(hub)).toBe(false)
  },
  TIMEOUT_MS,
)
