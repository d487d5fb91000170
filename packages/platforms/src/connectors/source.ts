/** The source: hands each message of a WebSocket to a callback, as bytes. */
import {
  AbortedError,
  ConfigError,
  InMemoryDeadLetterQueue,
  type DeadLetterQueue,
  type DrainOptions,
  type DrainReport,
  type SubscriptionStats,
  type WaitOptions,
} from '@bus/core'
import { type ConnectivityOptions, type WebSocketTransport } from '@bus/websocket'
import type { Properties } from './properties.ts'
import {
  checkSourceOptions,
  sourceOptionsOf,
  type WebSocketSourceOptions,
  type WebSocketSourceOverrides,
} from './source-options.ts'
import { SourceRun, sourceTransport, type SourceCallback } from './source-run.ts'
import { shareable, withOverrides } from './connection.ts'

/** Can be started and stopped as often as needed; each start makes a connection of its own. Made by {@link webSocketSource}. */
export class WebSocketSource implements AsyncDisposable {
  readonly #options: WebSocketSourceOptions
  readonly #deadLetters: DeadLetterQueue | false
  #run: SourceRun | undefined
  #stopping: Promise<DrainReport> | undefined

  /** @throws `ConfigError` naming the option. */
  constructor(options: WebSocketSourceOptions) {
    checkSourceOptions(options)
    this.#options = Object.freeze({ ...options })
    // What the transport alone can check; it connects to nothing.
    sourceTransport(this.#options)
    this.#deadLetters = options.deadLetters ?? new InMemoryDeadLetterQueue()
  }

  /** Started and not over. */
  get isRunning(): boolean {
    return this.#run?.hasEnded === false
  }

  /** Resolves when the current run was stopped; rejects with why it ended by itself. Resolved before the first start. */
  get closed(): Promise<void> {
    return this.#run?.closed ?? Promise.resolve()
  }

  /** The messages that were given up, over all runs; `undefined` where there is no queue for them. */
  get deadLetters(): DeadLetterQueue | undefined {
    return this.#deadLetters === false ? undefined : this.#deadLetters
  }

  /** The connection of the current run, for its status, notices and figures. */
  get transport(): WebSocketTransport | undefined {
    return this.#run?.transport
  }

  /**
   * Connects, and hands each message to the callback from then on, over every link that follows.
   *
   * @param options - `signal` also ends it later, as `stop({ timeoutMs: 0 })` does
   * @returns when the first connection is ready. It waits through attempts that fail, unless there are no more
   * @throws `TypeError` while it runs; with why there is no connection, once nothing is tried any more
   */
  async start(callback: SourceCallback, options: WaitOptions = {}): Promise<void> {
    if (typeof callback !== 'function') {
      throw ConfigError.expected('callback', 'to be a function', callback)
    }
    const { signal } = options
    await this.#stopping
    if (this.isRunning) throw new TypeError('The source is started already')
    refuseAborted(signal)
    const run = new SourceRun(this.#options, this.#deadLetters, callback)
    this.#run = run
    if (signal !== undefined) endWith(run, signal)
    try {
      await run.started
    } catch (error) {
      refuseAborted(signal)
      throw error
    }
  }

  /**
   * Takes nothing more, waits for the callbacks of what was received, and closes the connection. Idempotent; afterwards
   * `start` begins anew.
   *
   * @returns how many messages were not handled in time
   */
  stop(options?: DrainOptions): Promise<DrainReport> {
    const run = this.#run
    if (run === undefined) return Promise.resolve({ unsent: [], unhandled: 0 })
    this.#stopping ??= run.stop(options).finally(() => {
      this.#stopping = undefined
    })
    return this.#stopping
  }

  /** The figures of the current run; `undefined` before its first connection. */
  stats(): SubscriptionStats | undefined {
    return this.#run?.subscription?.stats()
  }

  /** Makes one connection of its own ready and closes it, without the subscribe message. Rejects with why it could not. */
  async validateConnectivity(options?: ConnectivityOptions): Promise<void> {
    await sourceTransport(this.#options).validateConnectivity(options)
  }

  /** A source of its own with the same options but for the overrides; it is not started. */
  clone(overrides?: Partial<WebSocketSourceOptions>): WebSocketSource {
    return new WebSocketSource(withOverrides(shareable(this.#options), overrides))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/**
 * Makes a source from options, or from flat properties and what those cannot say.
 *
 * @example
 * ```ts
 * import { webSocketSource } from '@bus/platforms'
 *
 * const source = webSocketSource({
 *   format: 'json',
 *   'websocket.url': 'wss://stream.example.com/trades',
 *   'error.strategy': 'retry',
 * })
 * await source.start((_data, { value }) => console.log(value))
 * await source.stop()
 * ```
 *
 * @throws `ConfigError` naming the option or the key.
 */
export function webSocketSource(
  input: Properties | WebSocketSourceOptions,
  overrides?: WebSocketSourceOverrides,
): WebSocketSource {
  if (!isOptions(input)) return new WebSocketSource(sourceOptionsOf(input, overrides))
  const { deadLetterStreams, ...rest } = overrides ?? {}
  if (deadLetterStreams !== undefined) {
    throw new ConfigError('deadLetterStreams', 'Expected `deadLetterStreams` only with properties')
  }
  return new WebSocketSource(withOverrides(input, rest))
}

/** Options have a `url`; flat properties have none, or one with a prefix. */
export function isOptions<T extends { readonly url: unknown }>(input: Properties | T): input is T {
  return typeof input === 'object' && input !== null && Object.hasOwn(input, 'url')
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return
  throw new AbortedError('Starting the source', { cause: signal.reason })
}

function endWith(run: SourceRun, signal: AbortSignal): void {
  const onAbort = (): void => void run.stop({ timeoutMs: 0 })
  signal.addEventListener('abort', onAbort, { once: true })
  const release = (): void => signal.removeEventListener('abort', onAbort)
  run.closed.then(release, release)
}
