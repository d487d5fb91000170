import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RecordingEntry } from '../src/entry.ts'
import { Recorder } from '../src/recorder.ts'
import { recordingInfo } from '../src/recording-info.ts'
import { replay } from '../src/replay.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'recording-'))
})
afterAll(() => rm(directory, { recursive: true }))

const moment = {
  at: fc.integer({ min: 0, max: 4_102_444_800_000 }),
  direction: fc.constantFrom('in' as const, 'out' as const),
}

const entry: fc.Arbitrary<RecordingEntry> = fc.oneof(
  fc.record({
    ...moment,
    kind: fc.constant('text' as const),
    data: fc.string({ unit: 'binary', maxLength: 200 }),
  }),
  fc.record({
    ...moment,
    kind: fc.constantFrom('binary' as const, 'ping', 'pong'),
    data: fc.uint8Array({ maxLength: 200 }),
  }),
  fc.record({
    ...moment,
    kind: fc.constant('close' as const),
    code: fc.integer({ min: 1000, max: 4999 }),
    reason: fc.string(),
  }),
)

type Step = RecordingEntry | 'flush' | 'turn' | 'reopen'

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: entry },
    { weight: 1, arbitrary: fc.constantFrom<Step>('flush', 'turn', 'reopen') },
  ),
  { maxLength: 60 },
)

test('whatever is recorded, and however it is flushed, is replayed as it was', async () => {
  let runs = 0
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 20 }), async (list, flushCount) => {
      const to = join(directory, `${String(runs++)}.jsonl`)
      let recorder = new Recorder({ to, flushCount })
      recorder.record({ at: 0, direction: 'out', kind: 'open', url: 'ws://h/', protocol: '' })
      for (const step of list) {
        if (step === 'flush') await recorder.flush()
        else if (step === 'turn') await new Promise((resolve) => setImmediate(resolve))
        else if (step === 'reopen') {
          await recorder.stop()
          recorder = new Recorder({ to, flushCount })
        } else recorder.record(step)
      }
      await recorder.stop()
      const recorded = list.filter((step) => typeof step !== 'string')
      const replayed: RecordingEntry[] = []
      const report = await replay(to, (one) => void replayed.push(one))
      expect(replayed.slice(1)).toEqual(recorded)
      expect(report).toEqual({ entries: recorded.length + 1, blank: 0, malformed: 0 })
      const { inbound, outbound, connections } = await recordingInfo(to)
      expect([inbound + outbound, connections]).toEqual([recorded.length, 1])
    }),
    { numRuns: 60 },
  )
})
