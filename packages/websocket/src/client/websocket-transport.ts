/** The WebSocket transport: the handle that applications hold, which owns a client until it gives it away. */
import {
  DetachedError,
  type Capabilities,
  type CircuitBreaker,
  type CloseOptions,
  type ConnectOptions,
  type DrainOptions,
  type DrainReport,
  type EmitOptions,
  type Event,
  type Feed,
  type FeedOptions,
  type Health,
  type HealthOptions,
  type ListenOptions,
  type ObservableTransport,
  type PublishOptions,
  type PublishReceipt,
  type QueueStats,
  type Sink,
  type Transport,
  type TransportEvents,
  type TransportMetrics,
  type TransportStatus,
  type TransportTrace,
  type Unsubscribe,
} from '@bus/core'
import { assertPattern, Emitter } from '@bus/core/kit'
import type { Frame } from '../protocol/protocol.ts'
import type { RequestOptions } from '../protocol/request.ts'
import { Client } from './client.ts'
import type { AnswerMatch, FrameListener, FrameWaitOptions } from './frames/answers.ts'
import { FrameTap, type FramesOptions, type RawFrame } from './frames/frame-tap.ts'
import { Detached } from './handover/detached.ts'
import {
  LiveHandover,
  claimTimeOf,
  assertHandover,
  type AdoptOptions,
  type Handover,
} from './handover/live-handover.ts'
import type { WebSocketTransportStats } from './observe/observation.ts'
import { cloneOptions, type ClientConfig } from './options/merge-config.ts'
import type { ResolvedOptions, WebSocketTransportOptions } from './options/options.ts'
import { resolveOptions } from './options/resolve-options.ts'
import { checkConnectivity, type ConnectivityOptions } from './reconnect/connectivity.ts'

/**
 * Carries events over one WebSocket connection at a time, and makes a new one when it breaks.
 *
 * Over the plain wire a publish is `sent` when the operating system has taken its frame: what a broken link loses
 * after that is not reported. See `capabilities`.
 *
 * @example
 * ```ts
 * import { createBus } from '@bus/core'
 * import { webSocketTransport } from '@bus/websocket'
 *
 * const bus = createBus({ transport: webSocketTransport({ url: 'ws://localhost:8080/events' }) })
 * await bus.subscribe('order.*', (event) => console.log(event.type))
 * ```
 */
export class WebSocketTransport implements Transport, ObservableTransport {
  readonly name = 'websocket'
  readonly #options: ResolvedOptions
  /** `undefined` once it was given away. */
  #client: Client | undefined
  #detached: Detached | undefined
  readonly #events: Emitter<TransportEvents> = new Emitter<TransportEvents>((error, name) => {
    // A listener of errors that throws must not be called about itself.
    if (name !== 'error') this.#client?.report('listener', error)
  })
  /** The client is closed or was given away: no listener is called any more. */
  #isOver = false

  /** @throws `ConfigError` that names the option, its value (secrets hidden) and the accepted form. */
  constructor(options: WebSocketTransportOptions | Handover) {
    const owner = {
      emit: <K extends keyof TransportEvents>(name: K, event: TransportEvents[K]): void =>
        this.#events.emit(name, event),
      clear: (): void => {
        this.#isOver = true
        this.#events.clear()
      },
    }
    if (options instanceof LiveHandover) {
      const possession = LiveHandover.take(options, owner)
      this.#options = possession.options
      this.#client = possession.client
    } else {
      this.#options = resolveOptions(options)
      this.#client = new Client(this.#options, owner)
    }
  }

  /** Takes over what another transport has given away by {@link detach}. @throws `DetachedError` when it was adopted already, `ClosedError` */
  static adopt(handover: Handover, options: AdoptOptions = {}): WebSocketTransport {
    assertHandover(handover)
    const claimWithinMs = claimTimeOf(options)
    const transport = new WebSocketTransport(handover)
    transport.#client?.claimWithin(claimWithinMs)
    return transport
  }

  /** What is promised with the server as far as it is known: with one that does not speak `bus.v1` it becomes less. */
  get capabilities(): Capabilities {
    return this.#mine.capabilities
  }

  get status(): TransportStatus {
    return this.#mine.status
  }

  /** The circuit breaker around connecting and failed sends; `undefined` when it was switched off. */
  get breaker(): CircuitBreaker | undefined {
    return this.#client?.breaker
  }

  connect(options: ConnectOptions = {}): Promise<void> {
    return this.#client?.connect(options) ?? this.#refusal()
  }

  publish(event: Event, options: PublishOptions = {}): Promise<PublishReceipt> {
    return this.#client?.publish(event, options) ?? this.#refusal()
  }

  emit(event: Event, { delivery }: EmitOptions = {}): boolean {
    return this.#client?.emit(event, delivery) ?? false
  }

  subscribe(patterns: readonly string[], sink: Sink, options: FeedOptions = {}): Feed {
    for (const pattern of patterns) assertPattern(pattern)
    return this.#client?.subscribe(patterns, sink, options) ?? this.#deadFeed()
  }

  /**
   * The frames as they come, over all links: for recorders and debuggers. An observer takes nothing away from the
   * subscriptions, and misses the oldest frames when it is too slow. Ends with the transport.
   */
  frames(options: FramesOptions = {}): AsyncGenerator<RawFrame, void, undefined> {
    if (this.#client !== undefined) return this.#client.frames(options)
    const tap = new FrameTap()
    tap.close()
    return tap.frames(options)
  }

  /**
   * Calls the listener with each frame at once, over all links, before it is read. The frames that it returns are sent back on
   * the same link, but not on `bus.v1`. What it throws is an `error` event of kind `listener`.
   * @returns a function that ends it; it also ends with the transport, and with `detach`
   */
  onFrame(listener: FrameListener): Unsubscribe {
    const stop = this.#client?.onFrame(listener) ?? ((): void => {})
    return Object.assign(stop, { [Symbol.dispose]: stop })
  }

  /** Resolves with the next frame that passes the test. Nothing is taken from the subscriptions, which get it too. */
  waitFor(
    isMatch: (frame: RawFrame) => boolean,
    options: FrameWaitOptions = {},
  ): Promise<RawFrame> {
    return this.#client?.waitFor(isMatch, options) ?? this.#refusal()
  }

  /**
   * Sends a frame on the link that is ready and resolves with the first answer that `match` recognises, which goes no
   * further. Never sent again: it fails with its link. Not over `bus.v1`.
   */
  request<T>(frame: Frame, match: AnswerMatch<T>, options: RequestOptions = {}): Promise<T> {
    return this.#client?.request(frame, match, options) ?? this.#refusal()
  }

  on<K extends keyof TransportEvents>(
    name: K,
    listener: (event: TransportEvents[K]) => void,
    options?: ListenOptions,
  ): Unsubscribe {
    // A listener that comes too late is never called, and leaves nothing behind.
    if (this.#isOver) return Object.assign(() => {}, { [Symbol.dispose]: () => {} })
    return this.#events.on(name, listener, options)
  }

  /** Drops the link and makes a new one at once; subscriptions and outbox stay. Also ends a wait between attempts. */
  reconnect(reason = 'reconnect'): Promise<void> {
    return this.#client?.reconnect(reason) ?? this.#refusal()
  }

  /**
   * A transport of its own with the same options but for the overrides, which change only what they name. Nothing is shared:
   * no connection, no subscription, no queue, no figure, but for `admission`, whose limit holds for both; `watch` and
   * `metrics` are not taken along. @throws `ConfigError`
   */
  clone(overrides?: ClientConfig): WebSocketTransport {
    return new WebSocketTransport(cloneOptions(this.#options, overrides))
  }

  /** Makes one connection of its own ready and closes it, whatever this transport does. Rejects with why it could not. */
  validateConnectivity(options?: ConnectivityOptions): Promise<void> {
    return checkConnectivity(() => this.clone({ reconnect: false, breaker: false }), options)
  }

  backpressureStats(): QueueStats {
    return this.#mine.backpressureStats()
  }

  stats(): WebSocketTransportStats {
    return this.#mine.stats()
  }

  /** The inner state in one picture: queue, breaker, heartbeat, subscriptions, links, bytes. */
  metrics(): TransportMetrics {
    return this.#mine.metrics()
  }

  /** The latest changes of state, with times and statistics. */
  trace(): TransportTrace {
    return this.#mine.trace()
  }

  async health(options: HealthOptions = {}): Promise<Health> {
    return await this.#mine.health(options)
  }

  async drain(options: DrainOptions = {}): Promise<DrainReport> {
    const unsent = (await this.#client?.drain(options)) ?? []
    await this.close()
    return { unsent, unhandled: 0 }
  }

  /**
   * Gives everything away at once: the connection, the queue with its publishes, requests under way, subscriptions. Events that
   * come before the next owner has subscribed wait. This handle is closed from now on, and answers with `DetachedError`.
   */
  detach(): Promise<Handover> {
    const client = this.#client
    if (client === undefined) return this.#refusal()
    const { ended, status: previous, capabilities } = client
    if (ended !== undefined) return Promise.reject(ended)
    const why = new DetachedError('The connection was given to another owner', {
      outcome: 'not-sent',
    })
    const handover = new LiveHandover({ client, options: this.#options })
    client.detach(why, handover)
    this.#client = undefined
    this.#detached = new Detached(why, capabilities, this.#options)
    this.#events.emit('status', { status: this.status, previous })
    this.#isOver = true
    this.#events.clear()
    return Promise.resolve(handover)
  }

  close(options: CloseOptions = {}): Promise<void> {
    return this.#client?.close(options) ?? Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  get #mine(): Client | Detached {
    const mine = this.#client ?? this.#detached
    if (mine === undefined)
      throw new TypeError('The transport has neither a client nor given it away')
    return mine
  }

  #refusal(): Promise<never> {
    return Promise.reject(this.#detached?.error)
  }

  #deadFeed(): Feed {
    const live = this.#refusal()
    // A subscriber that does not wait for it gets no unhandled rejection.
    live.catch(() => {})
    return {
      live,
      ready: () => {},
      settle: () => {},
      unsubscribe: () => Promise.resolve(),
    }
  }
}

/** Makes a {@link WebSocketTransport}; the link is made on first use or by `connect`. */
export function webSocketTransport(options: WebSocketTransportOptions): WebSocketTransport {
  return new WebSocketTransport(options)
}
