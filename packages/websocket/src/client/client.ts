/** The client: one transport's connection, outbox and subscriptions, whichever handle owns them. */

import {
  ClosedError,
  DetachedError,
  DisconnectedError,
  DrainingError,
  UnsupportedError,
  type BusError,
  type Capabilities,
  type CircuitBreaker,
  type CloseOptions,
  type ConnectOptions,
  type Delivery,
  type DrainOptions,
  type ErrorKind,
  type Event,
  type Feed,
  type FeedOptions,
  type Health,
  type HealthOptions,
  type PublishOptions,
  type PublishReceipt,
  type QueueStats,
  type Sink,
  type TransportEvents,
  type TransportMetrics,
  type TransportStatus,
  type TransportTrace,
  type UndeliverableReason,
} from '@bus/core'
import { Emitter, checkedEvent, withDeadline } from '@bus/core/kit'
import { decodeBody } from '../protocol/bus-v1/fields.ts'
import type { PlainSessionHost } from '../protocol/plain-session.ts'
import type {
  Frame,
  Protocol,
  ProtocolCapabilities,
  ProtocolSession,
} from '../protocol/protocol.ts'
import type { RequestOptions } from '../protocol/request.ts'
import type { BusV1Host } from './bus-v1/bus-v1-session.ts'
import {
  RawRequests,
  listenToFrames,
  waitForFrame,
  type AnswerMatch,
  type FrameListener,
  type FrameWaitOptions,
} from './frames/answers.ts'
import { FrameTap, type FramesOptions, type RawFrame } from './frames/frame-tap.ts'
import { dial, refusalOfSubprotocols } from './link/dial.ts'
import { bootstrap, type CloseInfo, type Link, type LinkPorts } from './link/link.ts'
import {
  Observation,
  health,
  statsOf,
  transportMetrics,
  type MetricsSources,
  type WebSocketTransportStats,
} from './observe/observation.ts'
import type { ResolvedOptions } from './options/options.ts'
import { Outbox } from './outbox/outbox.ts'
import { Writer } from './outbox/writer.ts'
import { OpossumBreaker } from './reconnect/breaker.ts'
import { Lifecycle, Readiness } from './reconnect/lifecycle.ts'
import { Reconnector } from './reconnect/reconnect.ts'
import { watchSilence } from './silence.ts'
import { KeepAlive, unreferenced } from './unref.ts'
import { Registry } from './subscriptions/registry.ts'
import type { DetachedSubscription } from './subscriptions/detached-subscriptions.ts'
import { ServerSubscriptions } from './subscriptions/server-subscriptions.ts'

/** Who owns the client now, and gets its events: a transport, or a hand-over that waits for one. */
export interface ClientOwner {
  emit<K extends keyof TransportEvents>(name: K, event: TransportEvents[K]): void
  /** The client is closed, and emits nothing any more. */
  clear(): void
}

/** Wires the parts of a client. Each part knows only its ports. */
export class Client {
  readonly #options: ResolvedOptions
  #owner: ClientOwner
  /** What observes the client itself, over all owners. */
  readonly #events: Emitter<TransportEvents>
  readonly #lifecycle: Lifecycle
  readonly #readiness = new Readiness()
  readonly #breaker: OpossumBreaker | undefined
  readonly #observation: Observation
  readonly #tap = new FrameTap()
  readonly #requests: RawRequests
  readonly #registry: Registry
  readonly #subscriptions: ServerSubscriptions
  readonly #writer: Writer
  readonly #outbox: Outbox
  readonly #reconnector: Reconnector
  /** Whether a publish may wait for a link. */
  readonly #mayWait: boolean
  readonly #host: PlainSessionHost & BusV1Host
  /** Where an open connection does not keep the process alive, but what a caller waits for does. */
  readonly #keepAlive: KeepAlive | undefined
  #protocol: Protocol
  /** What is spoken now. */
  #session: ProtocolSession
  /** The same object as long as the session promises the same. */
  #capabilities: Capabilities
  #promised: ProtocolCapabilities
  #state: 'open' | 'draining' | 'closed' = 'open'
  /** The reconnector was started. */
  #isStarted = false
  /** Which URL of a list is dialed: the next one after an attempt that failed. */
  #turn = 0
  /** Its server was suspected of another dialect. */
  #isSuspected = false
  /** Links that became ready. */
  #linksMade = 0
  /** Events that sessions before this one have received. */
  #receivedBefore = 0
  #closing: Promise<void> | undefined

  /** @throws `ConfigError` */
  constructor(given: ResolvedOptions, owner: ClientOwner) {
    const options = given.unref ? { ...given, clock: unreferenced(given.clock) } : given
    const { clock } = options
    this.#options = options
    if (options.unref) this.#keepAlive = new KeepAlive()
    this.#owner = owner
    this.#mayWait = options.whenDisconnected === 'queue'
    this.#events = new Emitter((error, name) => {
      // A listener of errors that throws must not be called about itself.
      if (name !== 'error') this.report('listener', error)
    })
    this.#lifecycle = new Lifecycle({
      now: () => clock.now(),
      onChange: (change) => this.#emit('status', change),
      onError: (error) => this.report('listener', error),
    })
    this.#requests = new RawRequests(clock, () =>
      this.#lifecycle.state === 'ready' ? this.#reconnector.link : undefined,
    )
    this.#observation = new Observation(options, this.#events, this.status, (error) =>
      this.report('listener', error),
    )
    this.#breaker = this.#makeBreaker()
    this.#registry = new Registry((change, patterns) =>
      this.#observation.subscription(change, patterns),
    )
    this.#writer = new Writer({
      highWaterMarkBytes: options.highWaterMarkBytes,
      failed: (error) => this.#breaker?.fail(error),
    })
    this.#outbox = this.#makeOutbox()
    this.#subscriptions = this.#makeSubscriptions()
    this.#protocol = options.protocol
    this.#host = this.#sessionHost()
    this.#session = options.protocol.openSession(this.#host)
    this.#promised = this.#session.capabilities
    this.#capabilities = capabilitiesOf(options, this.#session)
    this.#reconnector = this.#makeReconnector()
  }

  get status(): TransportStatus {
    return this.#lifecycle.status
  }

  get capabilities(): Capabilities {
    const { capabilities } = this.#session
    if (this.#promised !== capabilities) {
      this.#promised = capabilities
      this.#capabilities = capabilitiesOf(this.#options, this.#session)
    }
    return this.#capabilities
  }

  get breaker(): CircuitBreaker | undefined {
    return this.#breaker
  }

  /** It is closed, or being closed. */
  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** Why nothing can be done any more; `undefined` while the client is open. */
  get ended(): BusError | undefined {
    if (this.#state === 'closed') return this.#closedError()
    if (this.#state === 'open') return undefined
    return new DrainingError('The transport is draining', { outcome: 'not-sent' })
  }

  connect(options: ConnectOptions): Promise<void> {
    const { ended } = this
    if (ended !== undefined) return Promise.reject(ended)
    if (this.status.state === 'ready') return Promise.resolve()
    const ready = this.#awaited(this.#readiness.wait(options))
    this.#start()
    return ready
  }

  reconnect(reason: string): Promise<void> {
    if (this.isClosed) return Promise.reject(this.#closedError())
    const ready = this.#awaited(this.#readiness.wait({}))
    this.#start()
    this.#reconnector.reconnect(reason)
    return ready
  }

  /** Settles with the outcome of the event. Its bytes are fixed before this returns. */
  publish(given: Event, options: PublishOptions): Promise<PublishReceipt> {
    const { delivery } = options
    const session = this.#session
    if (this.#state !== 'open' || !this.#mayWait) {
      const refusal = this.#refusal()
      if (refusal !== undefined) return Promise.reject(refusal)
    }
    const { capabilities } = session
    if (delivery === 'at-least-once' && capabilities.delivery !== delivery) {
      return Promise.reject(unsupported(delivery))
    }
    let event = given
    let frame: Frame
    try {
      if (!Object.isFrozen(given)) event = checkedEvent(given)
      frame = session.encode(event)
    } catch (error) {
      return Promise.reject(error)
    }
    if (!this.#isStarted) this.#start()
    const isConfirmed = capabilities.publishConfirm && delivery !== 'at-most-once'
    const published = this.#outbox.publish(event, frame, isConfirmed, options)
    if (this.#keepAlive !== undefined || this.#options.metrics !== undefined) {
      return this.#awaited(this.#observation.publish(published))
    }
    return published
  }

  /** `false`: the caller should wait for room. */
  emit(given: Event, delivery: Delivery | undefined): boolean {
    const { capabilities } = this.#session
    const refusal = this.#refusal()
    if (refusal !== undefined) return this.#refuse(given, refusal)
    if (delivery === 'at-least-once' && capabilities.delivery !== delivery) {
      return this.#refuse(given, unsupported(delivery))
    }
    let event: Event
    let frame: Frame
    try {
      event = checkedEvent(given)
      frame = this.#session.encode(event)
    } catch (error) {
      return this.#refuse(given, error as BusError)
    }
    this.#start()
    const isConfirmed = capabilities.publishConfirm && delivery !== 'at-most-once'
    return this.#outbox.emit(event, frame, isConfirmed, delivery)
  }

  /** @throws `UnsupportedError` */
  subscribe(patterns: readonly string[], sink: Sink, options: FeedOptions): Feed {
    const { delivery } = options
    if (delivery === 'at-least-once' && this.#session.capabilities.delivery !== delivery) {
      throw unsupported(delivery)
    }
    if (this.#state === 'open') this.#start()
    const feed = this.#subscriptions.add(patterns.length === 0 ? ['>'] : patterns, sink, options)
    void this.#keepAlive?.during(feed.live).catch(() => {})
    return feed
  }

  frames(options: FramesOptions): AsyncGenerator<RawFrame, void, undefined> {
    return this.#tap.frames(options)
  }

  onFrame(listener: FrameListener): () => void {
    return listenToFrames(
      this.#tap,
      () => this.#reconnector.link,
      listener,
      (error) => this.report('listener', error),
    )
  }

  waitFor(isMatch: (frame: RawFrame) => boolean, options: FrameWaitOptions): Promise<RawFrame> {
    if (this.isClosed) return Promise.reject(this.#closedError())
    return this.#awaited(waitForFrame(this.#tap, isMatch, options, this.#options.clock))
  }

  request<T>(frame: Frame, match: AnswerMatch<T>, options: RequestOptions): Promise<T> {
    if (this.isClosed) return Promise.reject(this.#closedError())
    return this.#awaited(this.#requests.request(frame, match, options))
  }

  backpressureStats(): QueueStats {
    return this.#outbox.stats()
  }

  stats(): WebSocketTransportStats {
    return statsOf(this.#sources())
  }

  metrics(): TransportMetrics {
    return transportMetrics(this.#sources(), this.#options.clock.now())
  }

  trace(): TransportTrace {
    return this.#observation.trace.read(this.#options.clock.now())
  }

  health(options: HealthOptions): Promise<Health> {
    return this.#awaited(health(this.#sources(), this.#options, options))
  }

  /** Accepts nothing new, and sends what was accepted as long as there is time. @returns the ids of what is left */
  async drain({ timeoutMs = 30_000, signal }: DrainOptions): Promise<readonly string[]> {
    if (this.#state === 'open') {
      this.#state = 'draining'
      if (this.#lifecycle.state === 'ready') this.#lifecycle.enter('ready', { state: 'draining' })
    }
    const { clock } = this.#options
    const limits = { timeoutMs, clock, what: 'Draining', signal }
    // Running out of time is no error here: the report names what was left.
    await this.#awaited(withDeadline(() => this.#outbox.whenEmpty(), limits)).catch(() => {})
    return this.#outbox.close(undefined)
  }

  /** Resolves when nothing is left: no socket, no timer, no listener. */
  close(options: CloseOptions, cause?: BusError): Promise<void> {
    this.#closing ??= this.#awaited(this.#close(options, cause))
    return this.#closing
  }

  /** Subscriptions of an owner that has detached, which no other has claimed. */
  get detachedSubscriptions(): readonly DetachedSubscription[] {
    return this.#subscriptions.detached.list().map(({ patterns, settles }) =>
      Object.freeze({
        patterns: Object.freeze([...patterns]),
        delivery: settles ? ('at-least-once' as const) : ('at-most-once' as const),
      }),
    )
  }

  /** The owner goes: its waits end with the error, and its subscriptions buffer their events. */
  detach(why: BusError, owner: ClientOwner): void {
    this.#observation.handover('detached')
    this.#subscriptions.detach(why)
    this.#tap.release()
    this.#readiness.refuse(why)
    this.#outbox.forgetReady()
    this.#owner = owner
  }

  /** Another owner comes. */
  adopt(owner: ClientOwner): void {
    this.#owner = owner
    this.#observation.handover('adopted')
  }

  /** What is not claimed by then ends. */
  claimWithin(ms: number): void {
    this.#subscriptions.detached.expire(ms)
  }

  /** Emits an error that no caller is waiting for. */
  report(kind: ErrorKind, error: unknown): void {
    const reported = error instanceof Error ? error : new Error(String(error))
    this.#emit('error', { kind, error: reported })
  }

  #emit<K extends keyof TransportEvents>(name: K, event: TransportEvents[K]): void {
    this.#events.emit(name, event)
    this.#owner.emit(name, event)
  }

  #awaited<T>(promise: Promise<T>): Promise<T> {
    return this.#keepAlive?.during(promise) ?? promise
  }

  #start(): void {
    this.#isStarted = true
    this.#reconnector.start()
  }

  /** Why nothing can be published now. */
  #refusal(): BusError | undefined {
    const { ended } = this
    if (ended !== undefined || this.#mayWait || this.#lifecycle.state === 'ready') return ended
    // Otherwise no link would ever be made.
    this.#start()
    const refusal = this.#breaker?.refusal()
    return refusal ?? new DisconnectedError('There is no link', { outcome: 'not-sent' })
  }

  /** An event that was not accepted, and that has no promise. */
  #refuse(event: TransportEvents['undeliverable']['event'], error: BusError): false {
    const reason: UndeliverableReason = error.code === 'closed' ? 'closed' : 'rejected'
    const lost = { reason, direction: 'outbound', error, attempts: 0 } as const
    this.#emit('undeliverable', event === undefined ? lost : { ...lost, event })
    return false
  }

  /** @param cause - why it closes now; otherwise why it has closed */
  #closedError(cause?: BusError): BusError {
    const { status } = this
    const why = cause ?? (status.state === 'closed' ? status.cause : undefined)
    if (why instanceof DetachedError) return why
    const options = { outcome: 'not-sent' as const, ...(why === undefined ? {} : { cause: why }) }
    return new ClosedError('The transport is closed', options)
  }

  async #close(options: CloseOptions, cause: BusError | undefined): Promise<void> {
    this.#state = 'closed'
    const error = this.#closedError(cause)
    const { link } = this.#reconnector
    this.#tap.close()
    this.#reconnector.stop()
    this.#writer.detach()
    this.#outbox.close(cause)
    this.#subscriptions.close(error)
    this.#readiness.ended(cause ?? error)
    this.#breaker?.close()
    const last = this.#session.last()
    this.#session.close()
    if (link !== undefined) {
      // A write that fails now is of no interest: the link is over either way.
      if (last !== undefined) void link.send(last).catch(() => {})
      link.close(options.code ?? 1000, options.reason ?? '')
      await link.closed
    }
    const { state } = this.#lifecycle
    if (state !== 'closed') this.#lifecycle.enter(state, { state: 'closed', cause })
    // Where a listener closes the client, the last event is emitted only after that listener has returned.
    await Promise.resolve()
    this.#events.clear()
    this.#owner.clear()
  }

  #undecodable(error: Error, raw: Frame): void {
    this.report('decode', error)
    const how = { reason: 'undecodable', direction: 'inbound', attempts: 0 } as const
    this.#emit('undeliverable', { ...how, error, raw })
  }

  /** What sessions need of the client. */
  #sessionHost(): PlainSessionHost & BusV1Host {
    const options = this.#options
    return {
      clock: options.clock,
      maxMessageBytes: options.maxMessageBytes,
      outbox: this.#outbox,
      registry: this.#registry,
      writer: this.#writer,
      bootstrap: (protocol, link, attempt, signal) =>
        bootstrap(protocol, link, attempt, signal, options.onOpen, (ready) =>
          this.#subscriptions.restore(ready),
        ),
      held: () => this.#reconnector.link?.hold(),
      gap: (gap) => this.#emit('gap', gap),
      postpone: (retryAfterMs, spreadMs) =>
        this.#reconnector.postpone(retryAfterMs + spreadMs * options.random()),
      undecodable: (error, raw) => this.#undecodable(error, raw),
      restored: (taken, refused) => this.#subscriptions.adopt(taken, refused),
    }
  }

  /** A server that knows none of our subprotocols is dialed again without them, and from then on if it takes that. */
  async #dial(attempt: number, signal: AbortSignal): Promise<Link> {
    const options = this.#options
    const turn = this.#turn++
    try {
      const ports = this.#linkPorts(this.#session)
      return await dial(options, this.#protocol, { attempt, turn }, signal, ports)
    } catch (error) {
      const { fallback } = this.#protocol
      const refusal = refusalOfSubprotocols(error)
      // A status can have other reasons, and who spoke our protocol before has those.
      const isUnknown = refusal === 'certain' || (refusal === 'possible' && this.#linksMade === 0)
      if (fallback === undefined || !isUnknown) throw error
      const session = fallback.openSession(this.#host)
      const ports = this.#linkPorts(session)
      const link = await dial(options, fallback, { attempt, turn }, signal, ports)
      this.#fallBack(fallback, session)
      return link
    }
  }

  #fallBack(fallback: Protocol, session: ProtocolSession): void {
    this.#session.close()
    this.#receivedBefore += this.#session.received
    this.#registry.settleWith(undefined)
    this.#protocol = fallback
    this.#session = session
    // What waits was encoded for another protocol. Its payloads may have changed since, so it is decoded from its bytes.
    this.#outbox.recode(({ event: { type, id }, frame }) =>
      this.#session.encode(decodeBody(type, id, String(frame))),
    )
    if (this.#session.capabilities.delivery === 'at-least-once') return
    this.#subscriptions.unsettled(new UnsupportedError('websocket', 'delivery at-least-once'))
  }

  #makeBreaker(): OpossumBreaker | undefined {
    if (this.#options.breaker === false) return undefined
    return new OpossumBreaker(this.#options.breaker, {
      onChange: (change) => this.#emit('breaker', change),
      onError: (error) => this.report('listener', error),
    })
  }

  #makeOutbox(): Outbox {
    const { admission, queue, clock, maxAttempts, maxMessageBytes } = this.#options
    return new Outbox(queue, this.#writer, {
      clock,
      maxAttempts,
      maxMessageBytes,
      admission,
      rateLimit: (delay) => this.#emit('rate-limit', delay),
      admissionFailed: (error) => this.report('rate-limit', error),
      undeliverable: (lost) => this.#emit('undeliverable', lost),
      level: (level, fillRatio) => {
        this.#emit('backpressure', { level, fillRatio })
      },
      room: () => this.#emit('ready', undefined),
    })
  }

  #makeSubscriptions(): ServerSubscriptions {
    return new ServerSubscriptions({
      remote: () => this.#session,
      registry: this.#registry,
      clock: this.#options.clock,
      timeoutMs: this.#options.timeouts.bootstrapMs,
      released: () => this.#reconnector.link?.release(),
      restored: (patterns) => this.#emit('subscriptions-restored', { patterns }),
      restoreFailed: (patterns, error) => this.#emit('subscriptions-failed', { patterns, error }),
      failed: (error) => this.report('subscription', error),
      undeliverable: (lost) => this.#emit('undeliverable', lost),
    })
  }

  #makeReconnector(): Reconnector {
    const options = this.#options
    return new Reconnector(options, this.#lifecycle, this.#breaker, {
      dial: (attempt, signal) => this.#observation.dial(attempt, () => this.#dial(attempt, signal)),
      bootstrap: (link, attempt, signal) => this.#session.open(link, attempt, signal),
      refusal: (info) => this.#session.refusal?.(info),
      up: (link) => this.#up(link),
      down: (_link, info) => this.#down(info),
      failed: (error) => {
        this.report('connection', error)
        this.#readiness.attemptFailed(error)
      },
      misbehaved: (error) => this.report('listener', error),
      ended: (cause) => void this.close({}, cause),
    })
  }

  #linkPorts(session: ProtocolSession): LinkPorts {
    return {
      frame: (frame) => session.frame(frame),
      text: session.text?.bind(session),
      tap: this.#tap,
      traffic: this.#observation.traffic,
      profileFailed: (error) => this.report('listener', error),
      report: (kind, error) => this.report(kind, error),
      missed: (info) => this.#emit('heartbeat-timeout', info),
    }
  }

  /** The link is ready, in this order: subscriptions are live, the outbox is sent, then it is reported. */
  #up(link: Link): void {
    this.#linksMade++
    this.#turn--
    // A listener to `ready` may have begun to drain.
    if (this.#state === 'draining' && this.#lifecycle.state === 'ready') {
      this.#lifecycle.enter('ready', { state: 'draining' })
    }
    if (this.#registry.held > 0 && this.#session.pausesReading) link.hold()
    this.#subscriptions.up(link)
    this.#session.up()
    this.#writer.attach(link, this.#session.source)
    link.ready()
    this.#readiness.ready()
    this.#emit('open', {
      generation: link.generation,
      reconnected: this.#linksMade > 1,
      protocol: link.subprotocol,
    })
    this.#watchSilence(link)
  }

  /** Only where the dialect was not chosen but fallen back to. */
  #watchSilence(link: Link): void {
    if (this.#isSuspected || this.#protocol === this.#options.protocol) return
    const sent = (): number => this.#outbox.stats().sent
    const stop = watchSilence(link, this.#options.clock, sent, (error) => {
      this.#isSuspected = true
      this.report('decode', error)
    })
    // A listener to `open` may have closed the transport.
    if (this.#lifecycle.state === 'ready') this.#lifecycle.own(stop)
    else stop()
  }

  #down(info: CloseInfo): void {
    this.#writer.detach()
    this.#subscriptions.down()
    this.#session.down(info)
    const { code, reason, wasClean, initiatedBy } = info
    this.#emit('close', { code, reason, wasClean, initiatedBy })
  }

  #sources(): MetricsSources {
    return {
      lifecycle: this.#lifecycle,
      observation: this.#observation,
      breaker: this.#breaker,
      reconnector: this.#reconnector,
      registry: this.#registry,
      outbox: this.#outbox,
      session: this.#session,
      receivedBefore: this.#receivedBefore,
      linksMade: this.#linksMade,
    }
  }
}

function unsupported(delivery: Delivery): UnsupportedError {
  return new UnsupportedError('websocket', `delivery ${delivery}`)
}

/** What a transport with these options promises while it has this session. */
function capabilitiesOf(
  options: ResolvedOptions,
  { capabilities, pausesReading }: ProtocolSession,
): Capabilities {
  return Object.freeze({
    ...capabilities,
    // An event of higher priority overtakes those that were published before it.
    ...(options.admission?.hasPriorities === true ? { ordering: 'none' as const } : {}),
    backpressure: Object.freeze({
      inbound: pausesReading ? ('pause' as const) : ('credits' as const),
      outbound: options.queue.strategy === 'block' ? ('block' as const) : ('none' as const),
    }),
    maxPayload: options.maxMessageBytes,
    reconnect: options.reconnect !== false,
  })
}
