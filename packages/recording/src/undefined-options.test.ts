import { expect, test } from 'vitest'
import { resolveRecorderOptions, type RecorderOptions } from './recorder-options.ts'

/** The values, with functions by their kind: some defaults are made anew each time. */
function values(options: object): [string, unknown][] {
  return Object.entries(options).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'function' ? 'a function' : value,
  ])
}

test('options of a recorder that are undefined are the same as absent', () => {
  const absent: Required<RecorderOptions> = {
    to: 'events.jsonl',
    flushCount: undefined,
    flushMs: undefined,
    maxBufferedChars: undefined,
    onError: undefined,
    clock: undefined,
  }
  const without = resolveRecorderOptions({ to: 'events.jsonl' })
  expect(values(resolveRecorderOptions(absent))).toEqual(values(without))
})
