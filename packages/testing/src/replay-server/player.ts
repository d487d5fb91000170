/** Plays the server's part of a recording to one connection. */
import { MAX_TIMEOUT_MS, sleep } from '@bus/core/kit'
import { replay, type RecordingEntry } from '@bus/recording'
import { isCloseCode } from '../mock-server/close-frame.ts'
import type { MockConnection } from '../mock-server/mock-connection.ts'
import type { PlayOptions } from './options.ts'

/** Bytes that may wait for a client that reads slowly. */
const HIGH_WATER_MARK = 1024 * 1024
/** How often such a client is looked at. */
const LOOK_MS = 5

/** What stands for a close frame without a code. */
const NO_CODE = 1005

/** One per connection. */
export class Player {
  readonly #connection: MockConnection
  readonly #options: PlayOptions
  readonly #ended = new AbortController()
  /** Resolves as soon as the client has sent as many messages. */
  readonly #untilReceived: (count: number, signal: AbortSignal) => Promise<void>
  /** Messages of the recorded client so far. */
  #expected = 0
  /** The recorded client closed its connection. */
  #isLeaving = false
  /** How the recorded server ended its connection; a connection that followed it takes it back. */
  #close: { readonly code: number; readonly reason: string } | undefined

  constructor(
    connection: MockConnection,
    options: PlayOptions,
    untilReceived: (count: number, signal: AbortSignal) => Promise<void>,
  ) {
    this.#connection = connection
    this.#options = options
    this.#untilReceived = untilReceived
  }

  /** Resolves with whether all of it was played: `false` when the connection ended before. */
  async play(path: string): Promise<boolean> {
    const { realtime, maxGapMs, clock } = this.#options
    const { signal } = this.#ended
    const over = this.#connection.waitForClose({ timeoutMs: MAX_TIMEOUT_MS })
    over.catch(() => {}).finally(() => this.#ended.abort())
    try {
      const take = (entry: RecordingEntry): void | Promise<void> => this.#take(entry)
      await replay(path, take, { realtime, maxGapMs, clock, signal })
    } catch (error) {
      if (signal.aborted) return false
      throw error
    }
    if (this.#close !== undefined) this.#connection.close(this.#close.code, this.#close.reason)
    return true
  }

  #take(entry: RecordingEntry): void | Promise<void> {
    if (entry.kind === 'open') {
      this.#isLeaving = false
      this.#close = undefined
    } else if (entry.direction === 'out') this.#heard(entry)
    else if (entry.kind === 'close') {
      this.#leave(entry.code, entry.reason)
    } else if (entry.kind !== 'pong') return this.#say(entry)
  }

  #heard({ kind }: RecordingEntry): void {
    if (kind === 'close') this.#isLeaving = true
    else if (kind === 'text' || kind === 'binary') this.#expected++
  }

  /** A close without a code cannot be sent as one; a link that broke has nothing to be sent. */
  #leave(recorded: number, reason: string): void {
    const code = recorded === NO_CODE ? 1000 : recorded
    if (!this.#isLeaving && isCloseCode(code)) this.#close = { code, reason }
  }

  async #say(
    entry: Extract<RecordingEntry, { readonly kind: 'text' | 'binary' | 'ping' | 'pong' }>,
  ): Promise<void> {
    const { signal } = this.#ended
    if (this.#options.inStep) await this.#untilReceived(this.#expected, signal)
    if (entry.kind === 'ping') this.#connection.ping(entry.data)
    else this.#connection.send(entry.data)
    while (this.#connection.bufferedAmount > HIGH_WATER_MARK && !signal.aborted) {
      await sleep(LOOK_MS, { signal })
    }
  }
}
