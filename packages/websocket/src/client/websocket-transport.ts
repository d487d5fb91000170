/** The WebSocket transport: wires the rooms of the client, and is the only file that knows them all. */
import {
  UnsupportedError,
  type BusError,
  type Capabilities,
  type CircuitBreaker,
  type CloseOptions,
  type ConnectOptions,
  type DrainOptions,
  type DrainReport,
  type Delivery,
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
import { assertPattern } from '@bus/core/kit'
import type { Frame } from '../protocol/protocol.ts'
import type { RequestOptions } from '../protocol/request.ts'
import {
  claimTimeOf,
  giveAway,
  possessionOf,
  assertHandover,
  type AdoptOptions,
  type Handover,
} from './handover/live-handover.ts'
import {
  CurrentCapabilities,
  closeRooms,
  Intake,
  beginDraining,
  emitIn,
  emptyOutbox,
  publishIn,
  type Rooms,
} from './rooms.ts'
import { cloneOptions } from './options/clone-options.ts'
import { checkConnectivity, type ConnectivityOptions } from './reconnect/connectivity.ts'
import type { FramesOptions, RawFrame } from './frames/frame-tap.ts'
import { waitForFrame, type FrameWaitOptions, type AnswerMatch } from './frames/answers.ts'
import {
  health,
  statsOf,
  transportMetrics,
  type WebSocketTransportStats,
} from './observe/observation.ts'
import type { ResolvedOptions, WebSocketTransportOptions } from './options/options.ts'
import { OwnNotices } from './observe/own-notices.ts'

/**
 * Carries events over one WebSocket connection at a time, and makes a new one when it breaks.
 *
 * Over the plain wire a publish is `sent` when the operating system has taken its frame: what a broken link loses
 * after that, nobody is told. See `capabilities`.
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
  readonly #capabilities: CurrentCapabilities
  readonly #options: ResolvedOptions
  #rooms: Rooms
  readonly #notices: OwnNotices
  readonly #intake: Intake
  #closing: Promise<void> | undefined

  /** @throws `ConfigError` that names the option, its value (secrets hidden) and the accepted form. */
  constructor(options: WebSocketTransportOptions | Handover) {
    const { options: own, rooms } = possessionOf(options)
    this.#options = own
    this.#capabilities = new CurrentCapabilities(own)
    this.#rooms = rooms
    this.#notices = new OwnNotices(rooms.notices)
    this.#intake = new Intake({
      status: () => this.status,
      breaker: () => this.breaker?.state,
      whenDisconnected: this.#options.whenDisconnected,
    })
    rooms.onEnded = (cause) => void (this.#closing ??= this.#close({}, cause))
  }

  /** Takes over what another transport has given away by {@link detach}. @throws `DetachedError` when somebody else did, `ClosedError` */
  static adopt(handover: Handover, options: AdoptOptions = {}): WebSocketTransport {
    assertHandover(handover)
    const claimWithinMs = claimTimeOf(options)
    const transport = new WebSocketTransport(handover)
    transport.#rooms.subscriptions.parking.expire(claimWithinMs)
    transport.#rooms.observation.handover('adopted')
    return transport
  }

  /** What holds with the server as far as it is known: with one that does not speak `bus.v1` it becomes less. */
  get capabilities(): Capabilities {
    return this.#capabilities.with(this.#rooms.session)
  }

  get status(): TransportStatus {
    return this.#rooms.lifecycle.status
  }

  /** The circuit breaker around connecting and failed sends; `undefined` when it was switched off. */
  get breaker(): CircuitBreaker | undefined {
    return this.#rooms.breaker
  }

  connect(options: ConnectOptions = {}): Promise<void> {
    const ended = this.#intake.ended()
    if (ended !== undefined) return Promise.reject(ended)
    if (this.status.state === 'ready') return Promise.resolve()
    const ready = this.#rooms.readiness.wait(options)
    this.#rooms.reconnector.start()
    return ready
  }

  publish(event: Event, options: PublishOptions = {}): Promise<PublishReceipt> {
    const refusal = this.#refusal() ?? this.#unsupported(options.delivery)
    if (refusal !== undefined) return Promise.reject(refusal)
    return publishIn(this.#rooms, event, options)
  }

  emit(event: Event, { delivery }: EmitOptions = {}): boolean {
    const refusal = this.#refusal() ?? this.#unsupported(delivery)
    if (refusal !== undefined) return this.#rooms.tellRefused(event, refusal)
    return emitIn(this.#rooms, event, delivery)
  }

  subscribe(patterns: readonly string[], sink: Sink, options: FeedOptions = {}): Feed {
    for (const pattern of patterns) assertPattern(pattern)
    const unsupported = this.#unsupported(options.delivery)
    if (unsupported !== undefined) throw unsupported
    if (this.#intake.isOpen) this.#rooms.reconnector.start()
    return this.#rooms.subscriptions.add(patterns.length === 0 ? ['>'] : patterns, sink, options)
  }

  /**
   * The frames as they come, over all links: for recorders and debuggers. An observer takes nothing away from the
   * subscriptions, and misses the oldest frames when it is too slow. Ends with the transport.
   */
  frames(options: FramesOptions = {}): AsyncGenerator<RawFrame, void, undefined> {
    return this.#rooms.tap.frames(options)
  }

  /** Resolves with the next frame that passes the test. It still goes its way: nothing is taken from the subscriptions. */
  waitFor(
    isWanted: (frame: RawFrame) => boolean,
    options: FrameWaitOptions = {},
  ): Promise<RawFrame> {
    if (this.#intake.isClosed) return Promise.reject(this.#intake.closedError())
    return waitForFrame(this.#rooms.tap, isWanted, options, this.#options.clock)
  }

  /**
   * Sends a frame on the link that is ready and resolves with the first answer that `match` recognises, which goes no
   * further. Never sent again: it fails with its link. Not over `bus.v1`.
   */
  request<T>(frame: Frame, match: AnswerMatch<T>, options: RequestOptions = {}): Promise<T> {
    if (this.#intake.isClosed) return Promise.reject(this.#intake.closedError())
    return this.#rooms.requests.request(frame, match, options)
  }

  on<K extends keyof TransportEvents>(
    name: K,
    listener: (notice: TransportEvents[K]) => void,
    options?: ListenOptions,
  ): Unsubscribe {
    return this.#notices.on(name, listener, options)
  }

  /** Drops the link and makes a new one at once; subscriptions and outbox stay. Also ends a wait between attempts. */
  reconnect(reason = 'reconnect'): Promise<void> {
    if (this.#intake.isClosed) return Promise.reject(this.#intake.closedError())
    const ready = this.#rooms.readiness.wait({})
    this.#rooms.reconnector.start()
    this.#rooms.reconnector.reconnect(reason)
    return ready
  }

  /**
   * A transport of its own with the same options but for the overrides, which change only what they name. Nothing is shared:
   * no connection, no subscription, no queue, no figure, but for `admission`, whose limit holds for both; `watch` and
   * `metrics` are not taken along. @throws `ConfigError`
   */
  clone(overrides?: Partial<WebSocketTransportOptions>): WebSocketTransport {
    return new WebSocketTransport(cloneOptions(this.#options, overrides))
  }

  /** Makes one connection of its own ready and closes it, whatever this transport does. Rejects with why it could not. */
  validateConnectivity(options?: ConnectivityOptions): Promise<void> {
    return checkConnectivity(() => this.clone({ reconnect: false, breaker: false }), options)
  }

  backpressureStats(): QueueStats {
    return this.#rooms.outbox.stats()
  }

  stats(): WebSocketTransportStats {
    return statsOf(this.#rooms)
  }

  /** The inner state in one picture: queue, breaker, heartbeat, subscriptions, links, bytes. */
  metrics(): TransportMetrics {
    return transportMetrics(this.#rooms, this.#options.clock.now())
  }

  /** The latest changes of state, with times and statistics. */
  trace(): TransportTrace {
    return this.#rooms.observation.trace.read(this.#options.clock.now())
  }

  health(options: HealthOptions = {}): Promise<Health> {
    return health(this.#rooms, this.#options, options)
  }

  async drain(options: DrainOptions = {}): Promise<DrainReport> {
    if (this.#intake.isOpen) {
      this.#intake.drain()
      beginDraining(this.#rooms)
    }
    const unsent = await emptyOutbox(this.#rooms, options, this.#options.clock)
    await this.close()
    return { unsent, unhandled: 0 }
  }

  /**
   * Gives everything away at once: the connection, the queue with its publishes, requests under way, subscriptions. Events that
   * come before the next owner has subscribed wait. This handle is closed from now on, and answers with `DetachedError`.
   */
  detach(): Promise<Handover> {
    const ended = this.#intake.ended()
    if (ended !== undefined) return Promise.reject(ended)
    const { status: previous } = this
    const { handover, left } = giveAway({ options: this.#options, rooms: this.#rooms })
    this.#rooms = left
    this.#intake.close()
    this.#closing = Promise.resolve()
    this.#notices.tell('status', { status: this.status, previous })
    this.#notices.close()
    return Promise.resolve(handover)
  }

  close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options, undefined)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #close(options: CloseOptions, cause: BusError | undefined): Promise<void> {
    this.#intake.close()
    const error = this.#intake.closedError(cause)
    return closeRooms(this.#rooms, options, error, cause).finally(() => this.#notices.close())
  }

  /** Why nothing can be published now. */
  #refusal(): BusError | undefined {
    const refusal = this.#intake.refusal() // which alone would never make a link
    if (refusal !== undefined && this.#intake.isOpen) this.#rooms.reconnector.start()
    return refusal
  }

  #unsupported(delivery: Delivery | undefined): UnsupportedError | undefined {
    if (delivery !== 'at-least-once' || this.capabilities.delivery === delivery) return undefined
    return new UnsupportedError(this.name, `delivery ${delivery}`)
  }
}

/** Makes a {@link WebSocketTransport}; the link is made on first use or by `connect`. */
export function webSocketTransport(options: WebSocketTransportOptions): WebSocketTransport {
  return new WebSocketTransport(options)
}
