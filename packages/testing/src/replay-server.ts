/** A server that plays a recording to each client: it sends what the recorded client received. */
import type { Clock } from '@bus/core'
import { check, checkOptions, MAX_TIMEOUT_MS, type Shape, sleep, systemClock } from '@bus/core/kit'
import { type RecordingEntry, recordingInfo, type RecordingInfo, replay } from '@bus/recording'
import type { MockServerOptions } from './mock-server/options.ts'
import { isCloseCode, type MockConnection } from './mock-server/mock-connection.ts'
import { type MockServer, startMockServer } from './mock-server/mock-server.ts'
import { DEFAULT_WAIT_MS, type WaitForOptions, Waits } from './waits.ts'

/** How a recording is played, and where the server listens. */
export interface ReplayServerOptions extends Omit<MockServerOptions, 'handler' | 'onConnection'> {
  /** Whether as much time passes between two messages as did then. @default false */
  readonly realtime?: boolean | undefined
  /** Milliseconds that pass between two entries at most, with `realtime`. @default no limit */
  readonly maxGapMs?: number | undefined
  /**
   * Whether the server waits, before it sends what came after a message of the recorded client, until its own client has sent as
   * many messages: for dialogues, such as logging in. @default false
   */
  readonly inStep?: boolean | undefined
  /** Ends the reading of the recording before the server has started. */
  readonly signal?: AbortSignal | undefined
}

/** What concerns the playing. */
interface PlayOptions {
  readonly realtime: boolean
  readonly maxGapMs: number
  readonly inStep: boolean
  readonly clock: Clock
}

type OwnOptions = Pick<ReplayServerOptions, 'realtime' | 'maxGapMs' | 'inStep' | 'clock' | 'signal'>

const SHAPE: Shape<OwnOptions> = {
  realtime: check.boolean,
  maxGapMs: check.durationMs({ allowInfinity: true, allowLong: true }),
  inStep: check.boolean,
  clock: check.withMethods('now', 'setTimeout', 'clearTimeout'),
  signal: check.abortSignal,
}

/**
 * Separates the options of the playback from those of the server, which checks its own.
 *
 * @throws `ConfigError`
 */
function resolveReplayOptions(options: ReplayServerOptions): {
  readonly play: PlayOptions
  readonly server: MockServerOptions
  readonly signal: AbortSignal | undefined
} {
  const { realtime, maxGapMs, inStep, signal, ...server } = options
  const { clock } = server
  checkOptions<OwnOptions>('', { realtime, maxGapMs, inStep, signal, clock }, SHAPE)
  const play = {
    realtime: realtime ?? false,
    maxGapMs: maxGapMs ?? Infinity,
    inStep: inStep ?? false,
    clock: clock ?? systemClock,
  }
  return { play, server, signal }
}

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
  /** What the recording contains. */
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
  async played(clients = 1, limits: WaitForOptions = {}): Promise<void> {
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

/** Bytes that may wait for a client that reads slowly. */
const HIGH_WATER_MARK = 1024 * 1024
/** How often such a client is looked at. */
const LOOK_MS = 5

/** What stands for a close frame without a code. */
const NO_CODE = 1005

/** One per connection. */
class Player {
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
    } else if (entry.direction === 'out') this.#countClientFrame(entry)
    else if (entry.kind === 'close') {
      this.#leave(entry.code, entry.reason)
    } else if (entry.kind !== 'pong') return this.#send(entry)
  }

  #countClientFrame({ kind }: RecordingEntry): void {
    if (kind === 'close') this.#isLeaving = true
    else if (kind === 'text' || kind === 'binary') this.#expected++
  }

  /** A close without a code cannot be sent as one; a link that broke has nothing to be sent. */
  #leave(recorded: number, reason: string): void {
    const code = recorded === NO_CODE ? 1000 : recorded
    if (!this.#isLeaving && isCloseCode(code)) this.#close = { code, reason }
  }

  async #send(
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
