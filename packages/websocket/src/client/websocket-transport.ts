/** The WebSocket transport: wires the rooms of the client, and is the only file that knows them all. */
import {
  UnsupportedError,
  assertPattern,
  withDeadline,
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
  type PublishOptions,
  type PublishReceipt,
  type QueueStats,
  type Sink,
  type Transport,
  type TransportEvents,
  type TransportStatus,
  type Unsubscribe,
} from '@bus/core'
import type { Frame, ProtocolCapabilities } from '../protocol/protocol.ts'
import { capabilitiesOf } from './capabilities.ts'
import type { FramesOptions, RawFrame } from './frame-tap.ts'
import { healthOf } from './health.ts'
import { Intake } from './intake.ts'
import type { ResolvedOptions, WebSocketTransportOptions } from './options.ts'
import { resolveOptions } from './resolve-options.ts'
import { Rooms } from './rooms.ts'
import type { WebSocketTransportStats } from './stats.ts'

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
export class WebSocketTransport implements Transport {
  readonly name = 'websocket'
  #capabilities: Capabilities | undefined
  /** What they were made of. */
  #promised: ProtocolCapabilities | undefined
  readonly #options: ResolvedOptions
  readonly #rooms: Rooms
  readonly #intake: Intake
  #closing: Promise<void> | undefined

  /** @throws `ConfigError` that names the option, its value (secrets hidden) and the accepted form. */
  constructor(options: WebSocketTransportOptions) {
    this.#options = resolveOptions(options)
    this.#intake = new Intake({
      status: () => this.status,
      breaker: () => this.breaker?.state,
      whenDisconnected: this.#options.whenDisconnected,
    })
    this.#rooms = new Rooms(this.#options, (cause) => {
      this.#closing ??= this.#close({}, cause)
    })
  }

  /** What holds with the server as far as it is known: with one that does not speak `bus.v1` it becomes less. */
  get capabilities(): Capabilities {
    const { capabilities, pausesReading } = this.#rooms.session
    if (this.#capabilities === undefined || this.#promised !== capabilities) {
      this.#promised = capabilities
      const inbound = pausesReading ? 'pause' : 'credits'
      this.#capabilities = capabilitiesOf(this.#options, capabilities, inbound)
    }
    return this.#capabilities
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
    const canConfirm = this.#rooms.session.capabilities.publishConfirm
    const isConfirmed = canConfirm && options.delivery !== 'at-most-once'
    const refusal = this.#refusal() ?? this.#unsupported(options.delivery)
    if (refusal !== undefined) return Promise.reject(refusal)
    let frame: Frame
    try {
      frame = this.#rooms.session.encode(event)
    } catch (error) {
      return Promise.reject(error)
    }
    this.#rooms.reconnector.start()
    return this.#rooms.outbox.publish(event, frame, isConfirmed, options)
  }

  emit(event: Event, { delivery }: EmitOptions = {}): boolean {
    const refusal = this.#refusal() ?? this.#unsupported(delivery)
    if (refusal !== undefined) return this.#rooms.tellRefused(event, refusal)
    let frame: Frame
    try {
      frame = this.#rooms.session.encode(event)
    } catch (error) {
      return this.#rooms.tellRefused(event, error as BusError)
    }
    this.#rooms.reconnector.start()
    const canConfirm = this.#rooms.session.capabilities.publishConfirm
    const isConfirmed = canConfirm && delivery !== 'at-most-once'
    const hasRoom = this.#rooms.outbox.emit(event, frame, isConfirmed, delivery)
    if (!hasRoom) this.#rooms.isReadyAwaited = true
    return hasRoom
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

  on<K extends keyof TransportEvents>(
    name: K,
    listener: (notice: TransportEvents[K]) => void,
    options?: ListenOptions,
  ): Unsubscribe {
    return this.#rooms.notices.on(name, listener, options)
  }

  /** Drops the link and makes a new one at once; subscriptions and outbox stay. Also ends a wait between attempts. */
  reconnect(reason = 'reconnect'): Promise<void> {
    if (this.#intake.isClosed) return Promise.reject(this.#intake.closedError())
    const ready = this.#rooms.readiness.wait({})
    this.#rooms.reconnector.start()
    this.#rooms.reconnector.reconnect(reason)
    return ready
  }

  backpressureStats(): QueueStats {
    return this.#rooms.outbox.stats()
  }

  stats(): WebSocketTransportStats {
    const { outbox, reader, linksMade } = this.#rooms
    const { sent } = outbox.stats()
    const reconnects = Math.max(linksMade - 1, 0)
    return { sent, resent: outbox.resent, received: reader.received, reconnects }
  }

  async health(options: HealthOptions = {}): Promise<Health> {
    const { link } = this.#rooms.reconnector
    if (options.probe !== true || link === undefined) return this.#health()
    const { timeoutMs = 5_000, signal } = options
    try {
      await link.probe(signal === undefined ? { timeoutMs } : { timeoutMs, signal })
      return this.#health()
    } catch (error) {
      if (signal?.aborted === true) throw error
      const known = this.#health()
      const status = known.status === 'down' ? 'down' : 'degraded'
      return { ...known, status, reasons: [...known.reasons, 'The probe was not answered'] }
    }
  }

  async drain(options: DrainOptions = {}): Promise<DrainReport> {
    const { timeoutMs = 30_000, signal } = options
    const { outbox, lifecycle } = this.#rooms
    if (this.#intake.isOpen) {
      this.#intake.drain()
      this.#rooms.isDraining = true
      if (lifecycle.state === 'ready') lifecycle.enter('ready', { state: 'draining' })
    }
    const { clock } = this.#options
    const wait = { timeoutMs, clock, what: 'Draining', ...(signal === undefined ? {} : { signal }) }
    // Running out of time is no error here: the report says what was left.
    await withDeadline(() => outbox.whenEmpty(), wait).catch(() => {})
    const unsent = outbox.close(undefined)
    await this.close()
    return { unsent, unhandled: 0 }
  }

  close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options, undefined)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(options: CloseOptions, cause: BusError | undefined): Promise<void> {
    this.#intake.close()
    const { tap, reconnector, writer, outbox, subscriptions, readiness } = this.#rooms
    const { breaker, lifecycle, notices } = this.#rooms
    const { link } = reconnector
    tap.close()
    reconnector.stop()
    writer.detach()
    const error = this.#intake.closedError(cause)
    outbox.close(cause)
    subscriptions.close(error)
    readiness.ended(cause ?? error)
    breaker?.close()
    const last = this.#rooms.session.last()
    this.#rooms.session.close()
    if (link !== undefined) {
      // A write that fails now has nobody to tell: the link is over either way.
      if (last !== undefined) void link.send(last).catch(() => {})
      link.close(options.code ?? 1000, options.reason ?? '')
      await link.closed
    }
    const { state } = lifecycle
    if (state !== 'closed') lifecycle.enter(state, { state: 'closed', cause })
    // Called by a listener, the last notice is told only after that listener has returned.
    await Promise.resolve()
    notices.clear()
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

  #health(): Health {
    const { breaker, reconnector, outbox } = this.#rooms
    return healthOf({
      status: this.status,
      link: reconnector.link,
      breaker: breaker?.state,
      queue: outbox.stats(),
      warningThreshold: this.#options.queue.warningThreshold,
      now: this.#options.clock.now(),
    })
  }
}

/** Makes a {@link WebSocketTransport}; the link is made on first use or by `connect`. */
export function webSocketTransport(options: WebSocketTransportOptions): WebSocketTransport {
  return new WebSocketTransport(options)
}
