/** What a recording holds, in numbers. */
import { AbortedError, type WaitOptions } from '@bus/core'
import { check } from '@bus/core/kit'
import { entriesOf } from './replay.ts'

/** The figures of a recording. All of them are zero for an empty file. */
export interface RecordingInfo {
  readonly entries: number
  readonly inbound: number
  readonly outbound: number
  /** Connections that were made, the first one included. */
  readonly connections: number
  /** Lines that were empty. */
  readonly blank: number
  /** Lines that are no entries. */
  readonly malformed: number
  /** Milliseconds from the first entry to the last. */
  readonly durationMs: number
  /** When the first entry was recorded, in milliseconds since 1970; `undefined` where there is none. */
  readonly firstAt: number | undefined
  /** When the last entry was recorded. */
  readonly lastAt: number | undefined
}

/**
 * Reads a recording through and counts.
 *
 * @throws `RecordingError` when the file cannot be read.
 */
export async function recordingInfo(
  path: string,
  { signal }: WaitOptions = {},
): Promise<RecordingInfo> {
  check.string({ nonEmpty: true })('path', path)
  const counts = { entries: 0, inbound: 0, outbound: 0, connections: 0, blank: 0, malformed: 0 }
  let firstAt: number | undefined
  let lastAt: number | undefined
  for await (const { at, direction, kind } of entriesOf(path, counts)) {
    if (signal?.aborted === true) {
      throw new AbortedError('Reading the recording', { cause: signal.reason })
    }
    counts.entries++
    // The beginning of a connection is no message.
    if (kind === 'open') counts.connections++
    else if (direction === 'in') counts.inbound++
    else counts.outbound++
    firstAt ??= at
    lastAt = at
  }
  const durationMs = Math.max((lastAt ?? 0) - (firstAt ?? 0), 0)
  return Object.freeze({ ...counts, durationMs, firstAt, lastAt })
}
