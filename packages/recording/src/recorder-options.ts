/** The options of a recorder, and what holds where they are not given. */
import { Writable } from 'node:stream'
import type { Clock, RecordingError } from '@bus/core'
import {
  checkOptions,
  durationMs,
  func,
  integer,
  required,
  where,
  withMethods,
  systemClock,
  type Check,
  type Shape,
} from '@bus/core/kit'
import type { RecordTarget } from './target.ts'

/** Where a recording goes, and how much of it may be lost when the process is killed. */
export interface RecordOptions {
  /** A file, which is appended to and made where it does not exist, or a stream, which is not ended. */
  readonly to: RecordTarget
  /** Entries that wait to be written, at most, before they are: an integer ≥ 1. @default 100 */
  readonly flushCount?: number
  /** Milliseconds that an entry waits to be written, at most. @default 1_000 */
  readonly flushMs?: number
  /** Characters that may wait while writing is slow; entries beyond it are left out and counted. @default 16_777_216 */
  readonly maxBufferedChars?: number
}

/** The options of a recorder that is used by itself. */
export interface RecorderOptions extends RecordOptions {
  /** Told when the recording fails, once, or leaves entries out, once each time. @default nobody: see `stats` */
  readonly onError?: (error: RecordingError) => void
  /** Times the flushes. @default the machine's clock */
  readonly clock?: Clock
}

/** The options as a recorder uses them. */
export type ResolvedRecorderOptions = Readonly<
  Required<Omit<RecorderOptions, 'onError'>> & Pick<RecorderOptions, 'onError'>
>

/** What holds where nothing is given. */
const recordDefaults: Readonly<Required<Omit<RecordOptions, 'to'>>> = Object.freeze({
  flushCount: 100,
  flushMs: 1_000,
  maxBufferedChars: 16 * 1024 * 1024,
})

const isTarget: Check = where('to be a path or a writable stream', (value) =>
  typeof value === 'string' ? value !== '' : value instanceof Writable,
)

const RECORD_SHAPE: Shape<RecordOptions> = Object.freeze({
  to: required(isTarget),
  flushCount: integer({ min: 1 }),
  flushMs: durationMs({ min: 1 }),
  maxBufferedChars: integer({ min: 1 }),
})

const RECORDER_SHAPE: Shape<RecorderOptions> = Object.freeze({
  ...RECORD_SHAPE,
  onError: func,
  clock: withMethods('now', 'setTimeout', 'clearTimeout'),
})

/**
 * Where a transport records: a path or a stream stands for the options that are nothing else.
 *
 * @param path - the name of the option, for messages
 * @throws `ConfigError`
 */
export function resolveRecordOptions(
  value: RecordTarget | RecordOptions,
  path = 'record',
): Readonly<Required<RecordOptions>> {
  if (typeof value === 'string' || value instanceof Writable) {
    isTarget(path, value)
    return Object.freeze({ ...recordDefaults, to: value })
  }
  checkOptions<RecordOptions>(path, value, RECORD_SHAPE)
  return Object.freeze({ ...recordDefaults, ...given(value) })
}

/** @throws `ConfigError` */
export function resolveRecorderOptions(options: RecorderOptions): ResolvedRecorderOptions {
  checkOptions<RecorderOptions>('', options, RECORDER_SHAPE)
  return Object.freeze({ clock: systemClock, ...recordDefaults, ...given(options) })
}

function given<T extends object>(options: T): T {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as T
}
