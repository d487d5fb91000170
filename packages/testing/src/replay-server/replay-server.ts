/** A server that plays a recording to each client: what the recorded client received, this one receives. */
import { MAX_TIMEOUT_MS, systemClock } from '@bus/core/kit'
import { recordingInfo, type RecordingInfo } from '@bus/recording'
import type { MockConnection } from '../mock-server/mock-connection.ts'
import { startMockServer, type MockServer } from '../mock-server/mock-server.ts'
import { DEFAULT_WAIT_MS, Waits, type WaitLimits } from '../waits.ts'
import { resolveReplayOptions, type PlayOptions, type ReplayServerOptions } from './options.ts'
import { Player } from './player.ts'

/**
 * Starts a WebSocket server that plays the inbound messages and pings of a recording to each client, from the beginning,
 * and then closes as the recorded server did. Where the recorded client was closed by itself, the connection stays open.
 *
 * @example
 * ```ts
 * import { replayServer } from '@bus/testing'
 *
 * await using server = await replayServer('session.jsonl', { realtime: true, maxGapMs: 1_000 })
 * // ... connect to server.url
 * await server.played()
 * ```
 *
 * @throws `RecordingError` when the file cannot be read, `ConfigError`.
 */
export async function replayServer(
  path: string,
  options: ReplayServerOptions = {},
): Promise<ReplayServer> {
  const { play, server, signal } = resolveReplayOptions(options)
  const info = await recordingInfo(path, signal === undefined ? {} : { signal })
  const made = new ReplayServer(path, info, play)
  await made.start(server)
  return made
}

/** A running replay server. */
export class ReplayServer implements AsyncDisposable {
  /** What the recording holds. */
  readonly info: RecordingInfo
  readonly #path: string
  readonly #options: PlayOptions
  readonly #waits = new Waits(systemClock)
  #server: MockServer | undefined
  #played = 0

  /** Use `replayServer`. */
  constructor(path: string, info: RecordingInfo, options: PlayOptions) {
    this.info = info
    this.#path = path
    this.#options = options
  }

  /** The server underneath, with what it received and the faults that it can produce. */
  get server(): MockServer {
    if (this.#server === undefined) throw new TypeError('The replay server has not started')
    return this.#server
  }

  /** Where clients connect. */
  get url(): string {
    return this.server.url
  }

  /** Begins to listen. `replayServer` has called it. */
  async start(options: Parameters<typeof startMockServer>[0]): Promise<void> {
    this.#server = await startMockServer({
      ...options,
      onConnection: (connection) => this.#play(connection),
    })
  }

  /** Resolves when the recording was played to the end to so many clients, also if it was before the call. */
  async played(clients = 1, limits: WaitLimits = {}): Promise<void> {
    const { timeoutMs = DEFAULT_WAIT_MS, signal } = limits
    const what = clients === 1 ? 'the recording to be played' : `${clients} clients to be played to`
    const look = (): true | undefined => (this.#played >= clients ? true : undefined)
    await this.#waits.until(look, { what, timeoutMs, signal })
  }

  /** Ends the listener, every socket and every wait. Calling it again changes nothing. */
  async close(): Promise<void> {
    await this.#server?.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #play(connection: MockConnection): Promise<void> {
    const untilReceived = (count: number, signal: AbortSignal): Promise<void> => {
      const has = (): boolean => connection.received.length >= count
      return this.server.waitUntil(has, { timeoutMs: MAX_TIMEOUT_MS, signal })
    }
    const isPlayed = await new Player(connection, this.#options, untilReceived).play(this.#path)
    if (!isPlayed) return
    this.#played++
    this.#waits.notify()
  }
}
