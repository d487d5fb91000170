import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ConfigError } from '@bus/core'
import { SimulatedClock, thrownBy, stateOf, until } from '@bus/test-support'
import type { RecordingEntry } from './entry.ts'
import { Recorder } from './recorder.ts'
import type { RecorderOptions } from './recorder-options.ts'
import { type RecordingError } from './recording-error.ts'

const entry = (n: number): RecordingEntry => ({
  at: n,
  direction: 'in',
  kind: 'text',
  data: String(n),
})

/** A path in a directory that ends with the test. */
async function place(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'recorder-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return join(directory, 'session.jsonl')
}

/** The data of the lines that were written. */
async function written(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => (JSON.parse(line) as { data: string }).data)
}

/** A stream whose writes are ended by the test. */
class SlowStream extends Writable {
  readonly texts: string[] = []
  #done: (() => void) | undefined

  constructor() {
    super({ decodeStrings: false })
  }

  override _write(text: string, _encoding: string, done: () => void): void {
    this.texts.push(text)
    this.#done = done
  }

  get count(): number {
    return this.texts.join('').split('\n').length - 1
  }

  release(): void {
    const done = this.#done
    this.#done = undefined
    done?.()
  }
}

function setUp(options: Partial<RecorderOptions> & Pick<RecorderOptions, 'to'>) {
  const clock = new SimulatedClock()
  const errors: RecordingError[] = []
  const recorder = new Recorder({ clock, onError: (error) => errors.push(error), ...options })
  onTestFinished(() => recorder.stop().catch(() => {}))
  return { recorder, clock, errors }
}

describe('a recorder', () => {
  test('flushes when enough entries wait', async () => {
    const path = await place()
    const { recorder, clock } = setUp({ to: path, flushCount: 3 })
    recorder.record(entry(1))
    recorder.record(entry(2))
    expect(recorder.stats()).toMatchObject({ buffered: 2, flushes: 0 })
    recorder.record(entry(3))
    await until(() => recorder.stats().written === 3)
    expect(await written(path)).toEqual(['1', '2', '3'])
    expect(clock.pending).toBe(0)
  })

  test('flushes when the first entry has waited long enough, and sets no timer while nothing waits', async () => {
    const path = await place()
    const { recorder, clock } = setUp({ to: path, flushMs: 50 })
    expect(clock.pending).toBe(0)
    recorder.record(entry(1))
    clock.advance(49)
    recorder.record(entry(2))
    expect(recorder.stats().flushes).toBe(0)
    clock.advance(1)
    await until(() => recorder.stats().written === 2)
    expect(recorder.stats()).toMatchObject({ flushes: 1, buffered: 0 })
    expect(clock.pending).toBe(0)
  })

  test('flushes after a hundred entries or a second unless told otherwise', async () => {
    const { recorder, clock } = setUp({ to: await place() })
    recorder.record(entry(0))
    expect(clock.delays).toEqual([1_000])
    for (let n = 1; n < 99; n++) recorder.record(entry(n))
    expect(recorder.stats()).toMatchObject({ buffered: 99, flushes: 0 })
    expect(clock.pending).toBe(1)
    recorder.record(entry(99))
    expect(clock.pending).toBe(0)
    await recorder.flush()
    expect(recorder.stats()).toMatchObject({ written: 100, flushes: 1 })
  })

  test('flushes what waits when it is stopped, and takes nothing after that', async () => {
    const path = await place()
    const { recorder, clock } = setUp({ to: path })
    recorder.record(entry(1))
    await Promise.all([recorder.stop(), recorder.stop()])
    recorder.record(entry(2))
    expect(await written(path)).toEqual(['1'])
    expect(recorder.stats()).toMatchObject({ recorded: 1, dropped: 1 })
    expect(clock.pending).toBe(0)
  })

  test('flushes when it is asked to, and at once when there is nothing', async () => {
    const path = await place()
    const { recorder } = setUp({ to: path })
    await recorder.flush()
    expect(await written(path)).toEqual([])
    recorder.record(entry(1))
    await recorder.flush()
    expect(await written(path)).toEqual(['1'])
  })

  test('makes no file before the first entry, and one that only its owner may read', async () => {
    const path = await place()
    const { recorder } = setUp({ to: path })
    await recorder.flush()
    await expect(stat(path)).rejects.toThrow(/ENOENT/)
    recorder.record(entry(1))
    await recorder.flush()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  test('appends to what is there, in a line of its own after one that was cut off', async () => {
    const path = await place()
    for (const n of [1, 2]) {
      await using recorder = new Recorder({ to: path })
      recorder.record(entry(n))
    }
    expect(await written(path)).toEqual(['1', '2'])
    await writeFile(path, '{"ts":"2026-0')
    await using recorder = new Recorder({ to: path })
    recorder.record(entry(3))
    await recorder.stop()
    const lines = (await readFile(path, 'utf8')).split('\n')
    expect(lines).toHaveLength(3)
    expect(lines[1]).toContain('"data":"3"')
  })

  test('tells how much it has taken and written', async () => {
    const path = await place()
    const { recorder } = setUp({ to: path })
    for (const n of [1, 2, 3]) recorder.record(entry(n))
    expect(recorder.stats()).toMatchObject({ recorded: 3, written: 0, buffered: 3, bytes: 0 })
    await recorder.flush()
    const { size } = await stat(path)
    expect(recorder.stats()).toEqual({
      recorded: 3,
      written: 3,
      buffered: 0,
      dropped: 0,
      bytes: size,
      flushes: 1,
      error: undefined,
    })
  })
})

describe('recording does not block', () => {
  test('whoever records: what is slow to be written waits in the buffer, and the order stays', async () => {
    const stream = new SlowStream()
    const { recorder, clock } = setUp({ to: stream, flushCount: 2 })
    for (let n = 0; n < 7; n++) recorder.record(entry(n))
    await until(() => stream.texts.length === 1)
    expect(stream.count).toBe(2)
    expect(recorder.stats()).toMatchObject({ recorded: 7, written: 0, buffered: 7 })
    stream.release()
    await until(() => stream.texts.length === 2)
    expect(stream.count).toBe(7)
    stream.release()
    await recorder.flush()
    const data = stream.texts
      .join('')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(data).toMatchObject([0, 1, 2, 3, 4, 5, 6].map((n) => ({ data: String(n) })))
    expect(clock.pending).toBe(0)
  })

  test('nor does it grow: what does not fit is left out, counted, and told once each time', async () => {
    const stream = new SlowStream()
    const size = 2 * 63
    const { recorder, errors } = setUp({ to: stream, flushCount: 1, maxBufferedChars: size })
    for (let n = 1; n <= 5; n++) recorder.record(entry(n))
    await until(() => stream.texts.length === 1)
    const { recorded, dropped } = recorder.stats()
    expect(recorded).toBeGreaterThan(0)
    expect(recorded + dropped).toBe(5)
    expect(dropped).toBeGreaterThan(1)
    expect(errors).toMatchObject([{ code: 'recording', problem: 'overflow' }])
    for (let n = 0; n < recorded; n++) {
      stream.release()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await recorder.flush()
    for (let n = 6; n <= 9; n++) recorder.record(entry(n))
    expect(errors).toHaveLength(2)
    stream.release()
    await new Promise((resolve) => setImmediate(resolve))
    stream.release()
  })

  test('and waiting for it ends by a signal', async () => {
    const stream = new SlowStream()
    const { recorder } = setUp({ to: stream })
    recorder.record(entry(1))
    const abort = new AbortController()
    const flushed = recorder.flush({ signal: abort.signal })
    const stopped = recorder.stop({ signal: abort.signal })
    expect(await stateOf(flushed)).toBe('pending')
    abort.abort()
    await expect(flushed).rejects.toMatchObject({ code: 'aborted' })
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' })
    stream.release()
    await recorder.stop()
  })
})

describe('a stream', () => {
  test('gets the lines and stays open', async () => {
    const stream = new PassThrough()
    const { recorder } = setUp({ to: stream })
    recorder.record(entry(1))
    await recorder.stop()
    expect(String(stream.read())).toContain('"data":"1"')
    expect(stream.writable).toBe(true)
    expect(stream.listenerCount('error')).toBe(0)
  })

  test('that fails fails the recording and not the process', async () => {
    const stream = new PassThrough()
    const { recorder, errors } = setUp({ to: stream, flushCount: 1 })
    stream.destroy(new Error('no more'))
    recorder.record(entry(1))
    await until(() => errors.length === 1)
    recorder.record(entry(2))
    expect(errors).toMatchObject([{ problem: 'file', message: /the stream: no more/ }])
    expect(recorder.stats()).toMatchObject({ recorded: 0, dropped: 2, buffered: 0 })
  })
})

describe('a place that cannot be written to', () => {
  test('is told once, and everything after that is dropped', async () => {
    const { recorder, errors, clock } = setUp({ to: join(await place(), 'x'), flushCount: 2 })
    recorder.record(entry(1))
    recorder.record(entry(2))
    await until(() => errors.length === 1)
    recorder.record(entry(3))
    expect(errors).toMatchObject([{ code: 'recording', problem: 'file', retryable: false }])
    expect(errors[0]?.cause).toMatchObject({ code: 'ENOENT' })
    expect(recorder.stats()).toMatchObject({ recorded: 0, dropped: 3, error: errors[0] })
    expect(clock.pending).toBe(0)
  })

  test('is what flush and stop reject with', async () => {
    const { recorder } = setUp({ to: tmpdir() })
    recorder.record(entry(1))
    await expect(recorder.flush()).rejects.toMatchObject({ code: 'recording', problem: 'file' })
    await expect(recorder.stop()).rejects.toMatchObject({ code: 'recording' })
  })
})

describe('the options', () => {
  test.each([
    [{}, 'to'],
    [{ to: '' }, 'to'],
    [{ to: 5 }, 'to'],
    [{ to: 'x', flushCount: 0 }, 'flushCount'],
    [{ to: 'x', flushMs: 0 }, 'flushMs'],
    [{ to: 'x', maxBufferedChars: 0.5 }, 'maxBufferedChars'],
    [{ to: 'x', onError: true }, 'onError'],
    [{ to: 'x', clock: {} }, 'clock'],
    [{ to: 'x', flush: 1 }, 'flush'],
  ])('refuse %o', (options, path) => {
    const error = thrownBy(() => new Recorder(options as RecorderOptions))
    expect(error).toBeInstanceOf(ConfigError)
    expect(error).toMatchObject({ path })
  })
})

test('many recorders are no leak, and leave no listener', async () => {
  const before = process.listenerCount('exit')
  const limit = process.getMaxListeners()
  const recorders = Array.from({ length: 15 }, () => new Recorder({ to: new PassThrough() }))
  for (const recorder of recorders) recorder.record(entry(1))
  expect(process.listenerCount('exit')).toBe(before + 15)
  await Promise.all(recorders.map((recorder) => recorder.stop()))
  expect(process.listenerCount('exit')).toBe(before)
  expect(process.getMaxListeners()).toBe(limit)
})
