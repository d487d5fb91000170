/** The recorder: takes entries without waiting and writes them in batches. */
import type { Timer, WaitOptions } from '@bus/core'
import { abortable, redactUrl } from '@bus/core/kit'
import { ConnectionRecording } from './connection-recording.ts'
import { formatEntry, type RecordingEntry } from './entry.ts'
import {
  resolveRecorderOptions,
  type RecorderOptions,
  type ResolvedRecorderOptions,
} from './recorder-options.ts'
import { FileTarget } from './file-target.ts'
import { StreamTarget } from './stream-target.ts'
import type { TargetPort } from './target.ts'
import { RecordingError } from './recording-error.ts'

/** The figures of a recorder. */
export interface RecorderStats {
  /** Entries that were taken. */
  readonly recorded: number
  /** Entries that the system has taken over. */
  readonly written: number
  /** Entries that wait to be written. */
  readonly buffered: number
  /** Entries that were left out: writing was too slow, or has failed, or the recorder had stopped. */
  readonly dropped: number
  /** Bytes that the system has taken over. */
  readonly bytes: number
  /** Writes that succeeded. */
  readonly flushes: number
  /** Why nothing is recorded any more. */
  readonly error: RecordingError | undefined
}

/**
 * Writes a recording, one line an entry. It is the option `watch` of a WebSocket transport, which then records all its
 * connections; messages are written as they are, so keep the recording like a secret.
 *
 * `record` never waits and never throws. What waits is written when there is enough of it, when it has waited long
 * enough, on `stop`, and when the process ends by itself, by `process.exit` or by an uncaught error; a signal
 * that kills it loses the last entries. After a failure nothing more is recorded.
 *
 * @example
 * ```ts
 * import { Recorder } from '@bus/recording'
 *
 * await using recorder = new Recorder({ to: 'session.jsonl' })
 * recorder.record({ at: Date.now(), direction: 'in', kind: 'text', data: 'hello' })
 * ```
 */
export class Recorder implements AsyncDisposable {
  readonly #options: ResolvedRecorderOptions
  readonly #target: TargetPort
  readonly #lines: string[] = []
  /** Characters that wait or are being written. */
  #size = 0
  #writing: Promise<void> | undefined
  /** What is being written. */
  #underWay = ''
  #timer: Timer | undefined
  #leaveExit: (() => void) | undefined
  #stopping: Promise<void> | undefined
  #isOverflowing = false
  #error: RecordingError | undefined
  #recorded = 0
  #written = 0
  #dropped = 0
  #bytes = 0
  #flushes = 0

  /** @throws `ConfigError`; a target that cannot be written to is reported to `onError` after the first entry. */
  constructor(options: RecorderOptions) {
    this.#options = resolveRecorderOptions(options)
    const { to } = this.#options
    this.#target =
      typeof to === 'string' ? new FileTarget(to) : new StreamTarget(to, (e) => this.#fail(e))
  }

  /** Takes an entry. */
  record(entry: RecordingEntry): void {
    if (this.#error !== undefined || this.#stopping !== undefined) {
      this.#dropped++
      return
    }
    const line = `${formatEntry(entry)}\n`
    if (this.#size + line.length > this.#options.maxBufferedChars) {
      this.#overflow()
      return
    }
    this.#leaveExit ??= onProcessExit(() => this.#writeLast())
    this.#isOverflowing = false
    this.#recorded++
    this.#lines.push(line)
    this.#size += line.length
    this.#schedule()
  }

  /** Records what goes over one connection to this URL, whose secrets are left out. */
  watch(url: string): ConnectionRecording {
    return new ConnectionRecording(redactUrl(url), (entry) => this.record(entry))
  }

  /** Resolves when everything that was taken so far is written. @throws `RecordingError` when it cannot be. */
  async flush({ signal }: WaitOptions = {}): Promise<void> {
    await abortable(this.#drain(), signal, 'Flushing the recording')
  }

  /** Takes nothing more, writes the rest and closes the file; a stream stays open. @throws `RecordingError` */
  async stop({ signal }: WaitOptions = {}): Promise<void> {
    this.#stopping ??= this.#stop()
    await abortable(this.#stopping, signal, 'Stopping the recording')
  }

  stats(): RecorderStats {
    return {
      recorded: this.#recorded,
      written: this.#written,
      buffered: this.#recorded - this.#written,
      dropped: this.#dropped,
      bytes: this.#bytes,
      flushes: this.#flushes,
      error: this.#error,
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(): Promise<void> {
    try {
      await this.#drain()
    } finally {
      this.#leaveExit?.()
      await this.#target.close()
    }
  }

  async #drain(): Promise<void> {
    while (this.#error === undefined && (this.#lines.length > 0 || this.#writing !== undefined)) {
      await (this.#writing ?? this.#write())
    }
    if (this.#error !== undefined) throw this.#error
  }

  #schedule(): void {
    if (this.#writing !== undefined || this.#error !== undefined || this.#lines.length === 0) return
    const { clock, flushCount, flushMs } = this.#options
    if (this.#lines.length >= flushCount) void this.#write()
    else if (this.#timer === undefined) {
      this.#timer = clock.setTimeout(() => {
        this.#timer = undefined
        if (this.#writing === undefined) void this.#write()
      }, flushMs)
      // The end of the process writes what waits.
      this.#timer.unref?.()
    }
  }

  /** Never rejects: a failure is kept, reported once, and found by callers that wait. */
  #write(): Promise<void> {
    this.#clearTimer()
    const count = this.#lines.length
    const text = this.#lines.splice(0).join('')
    this.#underWay = text
    this.#writing = this.#target.write(text).then(
      () => {
        this.#writing = undefined
        this.#written += count
        this.#bytes += Buffer.byteLength(text)
        this.#underWay = ''
        this.#size -= text.length
        this.#flushes++
        this.#schedule()
      },
      (cause: unknown) => {
        this.#writing = undefined
        this.#underWay = ''
        this.#fail(cause)
      },
    )
    return this.#writing
  }

  #fail(cause: unknown): void {
    if (this.#error !== undefined) return
    this.#clearTimer()
    const { to } = this.#options
    const where = typeof to === 'string' ? `\`${to}\`` : 'the stream'
    const why = cause instanceof Error ? cause.message : String(cause)
    const error = new RecordingError('file', `Cannot record to ${where}: ${why}`, { cause })
    this.#error = error
    this.#dropped += this.#recorded - this.#written
    this.#recorded = this.#written
    this.#lines.length = 0
    this.#size = 0
    this.#leaveExit?.()
    this.#options.onError(error)
  }

  #overflow(): void {
    this.#dropped++
    if (this.#isOverflowing) return
    this.#isOverflowing = true
    const message = 'Entries come faster than they can be written; some are left out'
    this.#options.onError(new RecordingError('overflow', message))
  }

  #writeLast(): void {
    if (this.#error !== undefined) return
    try {
      this.#target.writeLast(this.#lines.splice(0).join(''), this.#underWay)
    } catch (cause) {
      this.#fail(cause)
    }
  }

  #clearTimer(): void {
    if (this.#timer === undefined) return
    this.#options.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

/**
 * Runs when the process ends, but not when a signal kills it.
 *
 * @returns a function that takes it back
 */
function onProcessExit(run: () => void): () => void {
  // As Node's documentation does it: many recorders are no leak, and must not look like one.
  changeLimit(1)
  process.on('exit', run)
  let isOver = false
  return () => {
    if (isOver) return
    isOver = true
    process.off('exit', run)
    changeLimit(-1)
  }
}

/** 0 stands for no limit. */
function changeLimit(by: 1 | -1): void {
  const limit = process.getMaxListeners()
  if (limit > 0) process.setMaxListeners(limit + by)
}
