/** Replaying: the entries of a recording, in order and, where wanted, in their time. */
import { AbortedError, type Clock, type WaitOptions } from '@bus/core'
import { check, checkOptions, systemClock, abortable, sleep } from '@bus/core/kit'
import { parseEntry, type RecordingEntry } from './entry.ts'
import { linesOf } from './lines.ts'
import { RecordingError } from './recording-error.ts'

/** How fast a recording is replayed. */
export interface ReplayOptions extends WaitOptions {
  /** Whether as much time passes between two entries as did then. @default false */
  readonly realtime?: boolean | undefined
  /** Milliseconds that pass between two entries at most, with `realtime`. @default no limit */
  readonly maxGapMs?: number | undefined
  /** @default the machine's clock */
  readonly clock?: Clock | undefined
}

/** What was replayed and what was not. */
export interface ReplayReport {
  /** Entries that the function was given. */
  readonly entries: number
  /** Lines that were empty. */
  readonly blank: number
  /** Lines that are no entries. */
  readonly malformed: number
}

/**
 * Gives each entry of a recording to the function, one after the other; a promise is waited for.
 *
 * @example
 * ```ts
 * import { replay } from '@bus/recording'
 *
 * const { malformed } = await replay('session.jsonl', (entry) => console.log(entry.direction, entry.kind))
 * ```
 *
 * @throws `RecordingError` when the file cannot be read, `AbortedError`, and whatever the function throws.
 */
export async function replay(
  path: string,
  take: (entry: RecordingEntry) => void | Promise<void>,
  options: ReplayOptions = {},
): Promise<ReplayReport> {
  check.string({ nonEmpty: true })('path', path)
  check.func('take', take)
  checkOptions<ReplayOptions>('', options, {
    realtime: check.boolean,
    maxGapMs: check.durationMs({ allowInfinity: true, allowLong: true }),
    clock: check.withMethods('now', 'setTimeout', 'clearTimeout'),
    signal: check.abortSignal,
  })
  const { signal } = options
  const pace = options.realtime === true ? new Pace(options) : undefined
  const report = { entries: 0, blank: 0, malformed: 0 }
  for await (const entry of entriesOf(path, report)) {
    if (signal?.aborted === true) throw new AbortedError('The replay', { cause: signal.reason })
    await pace?.until(entry)
    const taken = take(entry)
    if (taken !== undefined) await abortable(taken, signal, 'The replay')
    report.entries++
  }
  return report
}

/** The entries of a file; what is none is counted. */
export async function* entriesOf(
  path: string,
  skipped: { blank: number; malformed: number },
): AsyncGenerator<RecordingEntry, void, undefined> {
  for await (const line of linesOf(path)) {
    if (line?.trim() === '') skipped.blank++
    else {
      const entry = line === undefined ? undefined : entryOf(line)
      if (entry === undefined) skipped.malformed++
      else yield entry
    }
  }
}

function entryOf(line: string): RecordingEntry | undefined {
  try {
    return parseEntry(line)
  } catch (error) {
    if (error instanceof RecordingError) return undefined
    throw error
  }
}

/** Lets as much time pass as did between the entries. A slow function uses up the time of the gaps after it. */
class Pace {
  readonly #clock: Clock
  readonly #signal: AbortSignal | undefined
  readonly #maxGapMs: number
  #last: number | undefined
  /** When the last entry was due. */
  #due = 0

  constructor({ clock = systemClock, signal, maxGapMs = Infinity }: ReplayOptions) {
    this.#clock = clock
    this.#signal = signal
    this.#maxGapMs = maxGapMs
  }

  async until({ at }: RecordingEntry): Promise<void> {
    const now = this.#clock.now()
    // The wall clock of then may have been set back.
    const gap = this.#last === undefined ? 0 : Math.max(at - this.#last, 0)
    this.#due = (this.#last === undefined ? now : this.#due) + Math.min(gap, this.#maxGapMs)
    this.#last = at
    if (this.#due > now) {
      await sleep(this.#due - now, { signal: this.#signal, clock: this.#clock })
    }
  }
}
