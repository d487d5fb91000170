/** The recording of one transport: what goes over its connections becomes the entries of a recorder. */
import { redactUrl, withDeadline } from '@bus/core/kit'
import { Recorder, type RecordingEntry } from '@bus/recording'
import type { Frame } from '../../protocol/protocol.ts'
import type { ConnectionWatch, WatchDirection, WatchedEnd } from '../link/link.ts'
import type { ResolvedOptions } from '../options/options.ts'

/** An entry without what every entry has. */
type Content = RecordingEntry extends infer E
  ? E extends RecordingEntry
    ? Omit<E, 'at' | 'direction'>
    : never
  : never

/** What a link that broke without a close frame is told as. */
const NO_FRAME = 1006

/** One recorder for all connections. A recording that fails is told once, and changes nothing else. */
export class Recording {
  readonly recorder: Recorder
  readonly #url: string
  readonly #options: ResolvedOptions

  private constructor(options: ResolvedOptions, recorder: Recorder) {
    this.recorder = recorder
    this.#url = redactUrl(options.url)
    this.#options = options
  }

  /**
   * The recording that the options ask for, if they do.
   *
   * @param failed - told when the recording fails or leaves something out
   */
  static of(options: ResolvedOptions, failed: (error: Error) => void): Recording | undefined {
    const { record, clock } = options
    if (record === undefined) return undefined
    return new Recording(options, new Recorder({ ...record, clock, onError: failed }))
  }

  /** Records one connection. */
  watch(): ConnectionWatch {
    let isOpen = false
    return {
      opened: (protocol) => {
        isOpen = true
        this.#record('out', { kind: 'open', url: this.#url, protocol })
      },
      message: (direction, data, isBinary) => this.#message(direction, data, isBinary),
      control: (direction, kind, payload) =>
        this.#record(direction, { kind, data: bytesOf(payload) }),
      closing: (code, reason) => this.#record('out', { kind: 'close', code, reason }),
      closed: (info) => {
        if (isOpen) this.#closed(info)
      },
    }
  }

  /** Writes what is left. A place that takes nothing more does not hold up the closing of the transport for ever. */
  async stop(): Promise<void> {
    const { clock, timeouts } = this.#options
    const limits = { timeoutMs: timeouts.closeMs, clock, what: 'Writing the recording' }
    // What went wrong was told already.
    await withDeadline(() => this.recorder.stop(), limits).catch(() => {})
  }

  #message(direction: WatchDirection, data: Frame, isBinary: boolean): void {
    if (isBinary) this.#record(direction, { kind: 'binary', data: bytesOf(data) })
    else this.#record(direction, { kind: 'text', data: textOf(data) })
  }

  #closed({ code, reason, initiatedBy }: WatchedEnd): void {
    this.#record('in', { kind: 'close', code, reason })
    const isAnswered = initiatedBy === 'remote' && code !== NO_FRAME
    // A close frame is answered with its own content.
    if (isAnswered) this.#record('out', { kind: 'close', code, reason })
  }

  #record(direction: WatchDirection, content: Content): void {
    this.recorder.record({ at: Date.now(), direction, ...content })
  }
}

function bytesOf(frame: Frame): Uint8Array {
  return typeof frame === 'string' ? Buffer.from(frame) : frame
}

function textOf(frame: Frame): string {
  if (typeof frame === 'string') return frame
  return Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString()
}
