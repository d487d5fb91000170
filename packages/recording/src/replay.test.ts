import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { SimulatedClock, listenersOf, deferred, stateOf, until } from '@bus/test-support'
import { formatEntry, type RecordingEntry } from './entry.ts'
import { recordingInfo } from './recording-info.ts'
import { replay, type ReplayOptions } from './replay.ts'

const START = 1_700_000_000_000
const text = (data: string, at = START): RecordingEntry => ({
  at,
  direction: 'in',
  kind: 'text',
  data,
})
const opened: RecordingEntry = {
  at: START,
  direction: 'out',
  kind: 'open',
  url: 'ws://h/',
  protocol: '',
}

/** A recording of these lines. */
async function recording(...lines: (string | RecordingEntry)[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'replay-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const path = join(directory, 'session.jsonl')
  const all = lines.map((line) => (typeof line === 'string' ? line : formatEntry(line)))
  await writeFile(path, all.map((line) => `${line}\n`).join(''))
  return path
}

const dataOf = (entry: RecordingEntry): unknown => ('data' in entry ? entry.data : entry.kind)

describe('replay', () => {
  test('skips blank and malformed lines and counts them, and keeps the order', async () => {
    const path = await recording(text('1'), '', 'odd', text('2'), '  ', '{}', text('3', START - 5))
    const seen: unknown[] = []
    const report = await replay(path, (entry) => void seen.push(dataOf(entry)))
    expect(seen).toEqual(['1', '2', '3'])
    expect(report).toEqual({ entries: 3, blank: 2, malformed: 2 })
  })

  test('gives the next entry when the function is done with the one before', async () => {
    const path = await recording(text('1'), text('2'))
    const gate = deferred()
    const seen: unknown[] = []
    const replayed = replay(path, async (entry) => {
      seen.push(dataOf(entry))
      await gate.promise
    })
    await until(() => seen.length === 1)
    expect(await stateOf(replayed)).toBe('pending')
    expect(seen).toEqual(['1'])
    gate.resolve()
    await replayed
    expect(seen).toEqual(['1', '2'])
  })

  test('in real time keeps the gaps between the entries', async () => {
    const clock = new SimulatedClock()
    const path = await recording(text('1'), text('2', START + 100), text('3', START + 400))
    const seen: unknown[] = []
    const replayed = replay(path, (entry) => void seen.push([clock.now(), dataOf(entry)]), {
      realtime: true,
      clock,
    })
    await clock.untilPending(1)
    expect(seen).toEqual([[0, '1']])
    clock.advance(99)
    expect(clock.pending).toBe(1)
    clock.advance(1)
    await clock.untilPending(1)
    clock.advance(300)
    await replayed
    expect(seen).toEqual([
      [0, '1'],
      [100, '2'],
      [400, '3'],
    ])
    expect(clock.pending).toBe(0)
  })

  test('in real time does not fall further behind a function that is slow', async () => {
    const clock = new SimulatedClock()
    const path = await recording(text('1'), text('2', START + 100), text('3', START + 300))
    const seen: number[] = []
    const replayed = replay(
      path,
      ({ at }) => {
        seen.push(clock.now())
        if (at === START) clock.advance(150)
      },
      { realtime: true, clock },
    )
    await clock.untilPending(1)
    clock.advance(150)
    await replayed
    expect(seen).toEqual([0, 150, 300])
  })

  test('in real time waits no longer than the longest gap that is wanted', async () => {
    const clock = new SimulatedClock()
    const path = await recording(text('1'), text('2', START + 86_400_000))
    const replayed = replay(path, () => {}, { realtime: true, maxGapMs: 20, clock })
    await clock.untilPending(1)
    expect(clock.delays).toEqual([20])
    clock.advance(20)
    await replayed
  })

  test('without real time waits for nothing', async () => {
    const clock = new SimulatedClock()
    const path = await recording(text('1'), text('2', START + 86_400_000))
    await replay(path, () => {}, { clock, maxGapMs: 5 })
    expect(clock.delays).toEqual([])
  })

  test.each([['while it waits'], ['while the function runs'], ['before it began']])(
    'ends by its signal %s',
    async (when) => {
      const clock = new SimulatedClock()
      const abort = new AbortController()
      const path = await recording(text('1'), text('2', START + 100))
      if (when === 'before it began') abort.abort()
      const take = (): Promise<void> | undefined =>
        when === 'while the function runs' ? new Promise(() => {}) : undefined
      const options = { realtime: true, clock, signal: abort.signal }
      const replayed = replay(path, take, options)
      if (when === 'while it waits') await clock.untilPending(1)
      abort.abort('enough')
      await expect(replayed).rejects.toMatchObject({ code: 'aborted', cause: expect.anything() })
      expect(clock.pending).toBe(0)
      expect(listenersOf(abort.signal)).toBe(0)
    },
  )

  test('fails with what the function throws', async () => {
    const path = await recording(text('1'), text('2'))
    const seen: unknown[] = []
    const replayed = replay(path, (entry) => {
      seen.push(dataOf(entry))
      throw new Error('mine')
    })
    await expect(replayed).rejects.toThrow('mine')
    expect(seen).toEqual(['1'])
  })

  test.each([
    [{ realtime: 1 }, 'realtime'],
    [{ maxGapMs: -1 }, 'maxGapMs'],
    [{ clock: {} }, 'clock'],
    [{ signal: {} }, 'signal'],
    [{ speed: 2 }, 'speed'],
  ])('refuses %o', async (options, path) => {
    const replayed = replay('x', () => {}, options as ReplayOptions)
    await expect(replayed).rejects.toMatchObject({ code: 'config', path })
  })
})

describe('a missing file is a typed error', () => {
  test.each([
    ['of replay', (path: string) => replay(path, () => {})],
    ['of the figures', (path: string) => recordingInfo(path)],
  ])('%s', async (_name, read) => {
    const path = `${await recording()}.missing`
    await expect(read(path)).rejects.toMatchObject({
      code: 'recording',
      problem: 'file',
      cause: { code: 'ENOENT' },
    })
    await expect(read(tmpdir())).rejects.toMatchObject({ cause: { code: 'EISDIR' } })
    await expect(read('')).rejects.toMatchObject({ code: 'config', path: 'path' })
  })
})

describe('the figures of a recording', () => {
  test('of an empty file are zero', async () => {
    expect(await recordingInfo(await recording())).toEqual({
      entries: 0,
      inbound: 0,
      outbound: 0,
      connections: 0,
      blank: 0,
      malformed: 0,
      durationMs: 0,
      firstAt: undefined,
      lastAt: undefined,
    })
  })

  test('count entries both ways, connections, and the lines that are none', async () => {
    const out: RecordingEntry = { ...text('3', START + 250), direction: 'out' }
    const path = await recording(opened, text('1', START + 10), text('2'), '', 'odd', out)
    expect(await recordingInfo(path)).toEqual({
      entries: 4,
      inbound: 2,
      outbound: 1,
      connections: 1,
      blank: 1,
      malformed: 1,
      durationMs: 250,
      firstAt: START,
      lastAt: START + 250,
    })
  })

  test('can be given up', async () => {
    const signal = AbortSignal.abort()
    const counted = recordingInfo(await recording(opened), { signal })
    await expect(counted).rejects.toMatchObject({ code: 'aborted' })
  })
})
