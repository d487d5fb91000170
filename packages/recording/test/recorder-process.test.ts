import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { replay } from '../src/replay.ts'

const root = new URL('..', import.meta.url)
const COUNT = 2_000

/** The entries that a process of its own has recorded, which ends as its script does. */
async function recordedBy(script: string): Promise<number[]> {
  const directory = await mkdtemp(join(tmpdir(), 'recorder-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const path = join(directory, 'session.jsonl')
  const source = `
    import { Recorder } from '@bus/recording'
    const recorder = new Recorder({ to: ${JSON.stringify(path)}, flushMs: 60_000, flushCount: 700 })
    const record = (from, to) => {
      for (let n = from; n < to; n++) recorder.record({ at: n, direction: 'in', kind: 'text', data: 'x'.repeat(2_000) })
    }
    ${script}`
  await new Promise<void>((resolve) => {
    const options = { cwd: root, timeout: 50_000 }
    execFile(process.execPath, ['--input-type=module', '-e', source], options, () => resolve())
  })
  const seen: number[] = []
  await replay(path, ({ at }) => void seen.push(at))
  return seen
}

const all = Array.from({ length: COUNT }, (_, n) => n)

test.each([
  ['ends by itself', `record(0, ${COUNT})`],
  ['exits', `record(0, ${COUNT}); process.exit(1)`],
  ['exits while it writes', `record(0, 700); await null; record(700, ${COUNT}); process.exit(1)`],
  [
    'exits after a while',
    `record(0, 50); await recorder.flush(); record(50, ${COUNT}); process.exit()`,
  ],
  ['crashes', `record(0, ${COUNT}); throw new Error('crash')`],
  [
    'crashes in a promise',
    `record(0, ${COUNT}); setTimeout(() => Promise.reject(new Error('crash')), 1)`,
  ],
])('flushes everything, in order, when its process %s', async (_how, script) => {
  expect(await recordedBy(script)).toEqual(all)
})
