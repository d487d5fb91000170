/** The options of a recorder, and what holds where they are not given. */
import { Writable } from 'node:stream'
import type { Clock } from '@bus/core'
import { check, checkOptions, systemClock, type Check, type Shape } from '@bus/core/kit'
import type { RecordTarget } from './target.ts'
import type { RecordingError } from './recording-error.ts'

/** Where a recording goes, and how much of it may be lost when the process is killed. */
export interface RecorderOptions {
  /** A file, which is appended to and made where it does not exist, or a stream, which is not ended. */
  readonly to: RecordTarget
  /** Entries that wait to be written, at most, before they are: an integer ≥ 1. @default 100 */
  readonly flushCount?: number | undefined
  /** Milliseconds that an entry waits to be written, at most. @default 1_000 */
  readonly flushMs?: number | undefined
  /** Characters that may wait while writing is slow; entries beyond it are left out and counted. @default 16_777_216 */
  readonly maxBufferedChars?: number | undefined
  /** Called when the recording fails, once, or leaves entries out, once each time. @default a warning of the process */
  readonly onError?: ((error: RecordingError) => void) | undefined
  /** Times the flushes. @default the machine's clock */
  readonly clock?: Clock | undefined
}

/** The options as a recorder uses them. */
export interface ResolvedRecorderOptions {
  readonly to: RecordTarget
  readonly flushCount: number
  readonly flushMs: number
  readonly maxBufferedChars: number
  readonly onError: (error: RecordingError) => void
  readonly clock: Clock
}

const isTarget: Check = check.where('to be a path or a writable stream', (value) =>
  typeof value === 'string' ? value !== '' : value instanceof Writable,
)

const SHAPE: Shape<RecorderOptions> = Object.freeze({
  to: check.required(isTarget),
  flushCount: check.integer({ min: 1 }),
  flushMs: check.durationMs({ min: 1 }),
  maxBufferedChars: check.integer({ min: 1 }),
  onError: check.func,
  clock: check.withMethods('now', 'setTimeout', 'clearTimeout'),
})

/** Checks the options and fills in what is not given. @throws `ConfigError` */
export function resolveRecorderOptions(options: RecorderOptions): ResolvedRecorderOptions {
  checkOptions<RecorderOptions>('', options, SHAPE)
  return Object.freeze({
    to: options.to,
    flushCount: options.flushCount ?? 100,
    flushMs: options.flushMs ?? 1_000,
    maxBufferedChars: options.maxBufferedChars ?? 16 * 1024 * 1024,
    onError: options.onError ?? ((error) => process.emitWarning(error)),
    clock: options.clock ?? systemClock,
  })
}
