/** The rooms of one client, wired to each other: who tells whom what. */

import {
  UnsupportedError,
  CircuitOpenError,
  ClosedError,
  DetachedError,
  DisconnectedError,
  DrainingError,
  type BusError,
  type ErrorKind,
  type TransportEvents,
  type UndeliverableReason,
  type Clock,
  type Delivery,
  type DrainOptions,
  type Event,
  type PublishOptions,
  type PublishReceipt,
  type CloseOptions,
  type BreakerStateName,
  type TransportStatus,
  type Capabilities,
} from '@bus/core'
import { Emitter, checkedEvent, withDeadline } from '@bus/core/kit'
import type { Frame, Protocol, ProtocolCapabilities } from '../protocol/protocol.ts'
import { decodeBody } from '../protocol/bus-v1/fields.ts'
import { BusV1Session } from './bus-v1/bus-v1-session.ts'
import { OpossumBreaker } from './reconnect/breaker.ts'
import { dial, speaksNoSubprotocol } from './link/dial.ts'
import { FrameTap } from './frames/frame-tap.ts'
import { Lifecycle, Readiness } from './reconnect/lifecycle.ts'
import type { CloseInfo, Link, LinkPorts } from './link/link.ts'
import { Observation } from './observe/observation.ts'
import type { ResolvedOptions } from './options/options.ts'
import { PlainSession } from './plain-session.ts'
import type { Session } from './link/session.ts'
import { Outbox } from './outbox/outbox.ts'
import { RawRequests } from './frames/answers.ts'
import { Reader, Registry } from './subscriptions/registry.ts'
import { Reconnector } from './reconnect/reconnect.ts'
import { Subscriptions } from './subscriptions/subscriptions.ts'
import { Writer } from './outbox/writer.ts'

/** Every room knows only its ports; this is where the ports meet. */
export class Rooms {
  readonly notices: Emitter<TransportEvents>
  readonly lifecycle: Lifecycle
  readonly breaker: OpossumBreaker | undefined
  readonly observation: Observation
  readonly registry: Registry = new Registry((change, patterns) =>
    this.observation.subscription(change, patterns),
  )
  readonly subscriptions: Subscriptions
  readonly outbox: Outbox
  readonly writer: Writer
  /** What is spoken now. */
  session: Session
  /** Events that sessions before this one have received. */
  receivedBefore = 0
  readonly reconnector: Reconnector
  readonly readiness: Readiness = new Readiness()
  readonly tap: FrameTap = new FrameTap()
  readonly requests: RawRequests
  /** Links that became ready. */
  linksMade = 0
  /** Nothing new is taken; what was taken still goes. */
  isDraining = false
  /** `emit` answered `false`: somebody waits for `ready`. */
  isReadyAwaited = false
  /** Called when no link will be made any more, although nobody asked for that. */
  onEnded: (cause: BusError) => void = () => {}
  readonly #options: ResolvedOptions
  #protocol: Protocol

  constructor(options: ResolvedOptions) {
    this.#options = options
    this.notices = new Emitter((error, name) => {
      // A listener of errors that throws must not be called about itself.
      if (name !== 'error') this.report('listener', error)
    })
    this.lifecycle = new Lifecycle({
      now: () => options.clock.now(),
      onChange: (change) => this.notices.emit('status', change),
      onError: (error) => this.report('listener', error),
    })
    this.requests = new RawRequests(options.clock, () =>
      this.lifecycle.state === 'ready' ? this.reconnector.link : undefined,
    )
    this.observation = new Observation(options, this.notices, this.lifecycle.status)
    this.breaker = this.#makeBreaker()
    this.outbox = this.#makeOutbox()
    this.writer = this.#makeWriter()
    this.subscriptions = this.#makeSubscriptions()
    this.#protocol = options.protocol
    this.session = this.#makeSession(options.protocol)
    this.reconnector = this.#makeReconnector()
  }

  /** Tells of something that went wrong and that no caller is waiting for. */
  report(kind: ErrorKind, error: unknown): void {
    const told = error instanceof Error ? error : new Error(String(error))
    this.notices.emit('error', { kind, error: told })
  }

  #undecodable(error: Error, raw: Frame): void {
    this.report('decode', error)
    const how = { reason: 'undecodable', direction: 'inbound', attempts: 0 } as const
    this.notices.emit('undeliverable', { ...how, error, raw })
  }

  #makeReader(protocol: Protocol): Reader {
    const ports = {
      protocol,
      registry: this.registry,
      held: (): void => this.reconnector.link?.hold(),
      undecodable: (error: Error, raw: Frame): void => this.#undecodable(error, raw),
    }
    return new Reader(ports)
  }

  #makeSession(protocol: Protocol): Session {
    const { outbox, registry, subscriptions } = this
    if (protocol.session === undefined) {
      const restore = (link: Link): Promise<void> => subscriptions.restore(link)
      return new PlainSession(protocol, this.#options, {
        outbox,
        reader: this.#makeReader(protocol),
        restore,
      })
    }
    return new BusV1Session({
      outbox,
      registry,
      clock: this.#options.clock,
      maxMessageBytes: this.#options.maxMessageBytes,
      credentials: protocol.credentials,
      progressMs: protocol.progressMs ?? Infinity,
      wake: () => this.writer.wake(),
      gap: (gap) => this.notices.emit('gap', gap),
      postpone: (retryAfterMs, spreadMs) =>
        this.reconnector.postpone(retryAfterMs + spreadMs * this.#options.random()),
      undecodable: (error, raw) => this.#undecodable(error, raw),
      restored: (taken, refused) => subscriptions.adopt(taken, refused),
    })
  }

  /** A server that knows none of our subprotocols is dialed again without them, and from then on. */
  async #dial(attempt: number, signal: AbortSignal): Promise<Link> {
    try {
      return await this.#dialWith(this.#protocol, attempt, signal)
    } catch (error) {
      const { fallback } = this.#protocol
      if (fallback === undefined || !speaksNoSubprotocol(error)) throw error
      this.#fallBack(fallback)
      return await this.#dialWith(fallback, attempt, signal)
    }
  }

  #dialWith(protocol: Protocol, attempt: number, signal: AbortSignal): Promise<Link> {
    const ports = this.#linkPorts(this.session)
    return dial(this.#options, protocol, attempt, signal, ports)
  }

  #fallBack(fallback: Protocol): void {
    this.session.close()
    this.receivedBefore += this.session.received
    this.registry.settleWith(undefined)
    this.#protocol = fallback
    this.session = this.#makeSession(fallback)
    // What waits was written for another wire; its payloads may have changed since, so its bytes are what counts.
    this.outbox.recode(({ event: { type, id }, frame }) =>
      this.session.encode(decodeBody(type, id, String(frame))),
    )
    if (this.session.capabilities.delivery === 'at-least-once') return
    this.subscriptions.unsettled(new UnsupportedError('websocket', 'delivery at-least-once'))
  }

  #makeBreaker(): OpossumBreaker | undefined {
    if (this.#options.breaker === false) return undefined
    return new OpossumBreaker(this.#options.breaker, {
      onChange: (change) => this.notices.emit('breaker', change),
      onError: (error) => this.report('listener', error),
    })
  }

  #makeOutbox(): Outbox {
    const { admission, queue, clock, maxAttempts, maxMessageBytes } = this.#options
    return new Outbox(queue, {
      clock,
      maxAttempts,
      maxMessageBytes,
      admission,
      offered: () => this.writer.wake(),
      rateLimit: (notice) => this.notices.emit('rate-limit', notice),
      admissionFailed: (error) => this.report('rate-limit', error),
      undeliverable: (notice) => this.notices.emit('undeliverable', notice),
      level: (level, fillRatio) => {
        this.notices.emit('backpressure', { level, fillRatio })
      },
      room: () => this.#tellReady(),
    })
  }

  #makeWriter(): Writer {
    const isText = (): boolean => this.session.isText
    return new Writer({
      source: {
        get isText() {
          return isText()
        },
        next: () => this.session.next(),
        taken: () => this.session.taken(),
      },
      highWaterMarkBytes: this.#options.highWaterMarkBytes,
      failed: (error) => this.breaker?.fail(error),
    })
  }

  #makeSubscriptions(): Subscriptions {
    return new Subscriptions({
      remote: () => this.session,
      registry: this.registry,
      clock: this.#options.clock,
      timeoutMs: this.#options.timeouts.bootstrapMs,
      released: () => this.reconnector.link?.release(),
      restored: (patterns) => this.notices.emit('subscriptions-restored', { patterns }),
      restoreFailed: (patterns, error) =>
        this.notices.emit('subscriptions-failed', { patterns, error }),
      failed: (error) => this.report('subscription', error),
      undeliverable: (notice) => this.notices.emit('undeliverable', notice),
    })
  }

  #makeReconnector(): Reconnector {
    const options = this.#options
    return new Reconnector(options, this.lifecycle, this.breaker, {
      dial: (attempt, signal) => this.observation.dial(attempt, () => this.#dial(attempt, signal)),
      bootstrap: (link, attempt, signal) => this.session.open(link, attempt, signal),
      refusal: (info) => this.session.refusal?.(info),
      up: (link) => this.#up(link),
      down: (_link, info) => this.#down(info),
      failed: (error) => {
        this.report('connection', error)
        this.readiness.attemptFailed(error)
      },
      misbehaved: (error) => this.report('listener', error),
      ended: (cause) => this.onEnded(cause),
    })
  }

  #linkPorts(session: Session): LinkPorts {
    return {
      frame: (frame) => session.frame(frame),
      text: session.text?.bind(session),
      tap: this.tap,
      traffic: this.observation.traffic,
      profileFailed: (error) => this.report('listener', error),
      report: (kind, error) => this.report(kind, error),
      missed: (info) => this.notices.emit('heartbeat-timeout', info),
    }
  }

  /** Ready, in this order: subscriptions are live, the outbox goes, then everybody is told. */
  #up(link: Link): void {
    this.linksMade++
    // Unless the one who was told of `ready` has begun to drain by then.
    if (this.isDraining && this.lifecycle.state === 'ready') {
      this.lifecycle.enter('ready', { state: 'draining' })
    }
    if (this.registry.held > 0 && this.session.pausesReading) link.hold()
    this.subscriptions.up(link)
    this.session.up()
    this.writer.attach(link)
    link.ready()
    this.readiness.ready()
    this.notices.emit('open', {
      generation: link.generation,
      reconnected: this.linksMade > 1,
      protocol: link.subprotocol,
    })
  }

  #down(info: CloseInfo): void {
    this.writer.detach()
    this.subscriptions.down()
    this.session.down(info)
    const { code, reason, wasClean, initiatedBy } = info
    this.notices.emit('close', { code, reason, wasClean, initiatedBy })
  }

  #tellReady(): void {
    if (!this.isReadyAwaited || !this.outbox.hasRoom) return
    this.isReadyAwaited = false
    this.notices.emit('ready', undefined)
  }

  /** An event that was not taken and that no promise tells of. */
  tellRefused(event: TransportEvents['undeliverable']['event'], error: BusError): false {
    const reason: UndeliverableReason = error.code === 'closed' ? 'closed' : 'rejected'
    const notice = { reason, direction: 'outbound', error, attempts: 0 } as const
    this.notices.emit('undeliverable', event === undefined ? notice : { ...notice, event })
    return false
  }
}

/** Settles with what became of the event. */
export function publishIn(
  rooms: Rooms,
  given: Event,
  options: PublishOptions,
): Promise<PublishReceipt> {
  let event: Event
  let frame: Frame
  try {
    event = checkedEvent(given)
    frame = rooms.session.encode(event)
  } catch (error) {
    return Promise.reject(error)
  }
  rooms.reconnector.start()
  const isConfirmed = mayConfirm(rooms, options.delivery)
  return rooms.observation.publish(rooms.outbox.publish(event, frame, isConfirmed, options))
}

/** `false` asks to wait for room. */
export function emitIn(rooms: Rooms, given: Event, delivery: Delivery | undefined): boolean {
  let event: Event
  let frame: Frame
  try {
    event = checkedEvent(given)
    frame = rooms.session.encode(event)
  } catch (error) {
    return rooms.tellRefused(given, error as BusError)
  }
  rooms.reconnector.start()
  const hasRoom = rooms.outbox.emit(event, frame, mayConfirm(rooms, delivery), delivery)
  if (!hasRoom) rooms.isReadyAwaited = true
  return hasRoom
}

/** Nothing new is taken from now on; what was taken still goes. */
export function beginDraining(rooms: Rooms): void {
  const { lifecycle } = rooms
  rooms.isDraining = true
  if (lifecycle.state === 'ready') lifecycle.enter('ready', { state: 'draining' })
}

/** Sends what was accepted, as long as there is time; the ids of what is left. */
export async function emptyOutbox(
  { outbox }: Rooms,
  { timeoutMs = 30_000, signal }: DrainOptions,
  clock: Clock,
): Promise<readonly string[]> {
  const limits = { timeoutMs, clock, what: 'Draining', signal }
  // Running out of time is no error here: whoever asked is told what was left.
  await withDeadline(() => outbox.whenEmpty(), limits).catch(() => {})
  return outbox.close(undefined)
}

function mayConfirm({ session }: Rooms, delivery: Delivery | undefined): boolean {
  return session.capabilities.publishConfirm && delivery !== 'at-most-once'
}

/**
 * Resolves when nothing is left: no socket, no timer, no listener.
 *
 * @param error - what everybody who waits is told
 * @param cause - why, where nobody asked for it
 */
export async function closeRooms(
  rooms: Rooms,
  options: CloseOptions,
  error: BusError,
  cause: BusError | undefined,
): Promise<void> {
  const { tap, reconnector, writer, outbox, subscriptions, readiness } = rooms
  const { breaker, lifecycle, notices } = rooms
  const { link } = reconnector
  tap.close()
  reconnector.stop()
  writer.detach()
  outbox.close(cause)
  subscriptions.close(error)
  readiness.ended(cause ?? error)
  breaker?.close()
  const last = rooms.session.last()
  rooms.session.close()
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

/** What the intake looks at. */
export interface IntakeFacts {
  readonly status: () => TransportStatus
  readonly breaker: () => BreakerStateName | undefined
  readonly whenDisconnected: 'queue' | 'reject'
}

/** Open, then perhaps draining, then closed for good. */
export class Intake {
  readonly #facts: IntakeFacts
  #state: 'open' | 'draining' | 'closed' = 'open'

  constructor(facts: IntakeFacts) {
    this.#facts = facts
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** Nothing new is taken; what was taken still goes. */
  drain(): void {
    if (this.isOpen) this.#state = 'draining'
  }

  close(): void {
    this.#state = 'closed'
  }

  /** Why nothing can be done any more, `undefined` while the transport lives on. */
  ended(): BusError | undefined {
    if (this.#state === 'closed') return this.closedError()
    if (this.#state === 'open') return undefined
    return new DrainingError('The transport is draining', { outcome: 'not-sent' })
  }

  /** Why nothing can be published now. */
  refusal(): BusError | undefined {
    const ended = this.ended()
    const { status, breaker, whenDisconnected } = this.#facts
    if (ended !== undefined || whenDisconnected === 'queue') return ended
    if (status().state === 'ready') return undefined
    if (breaker() === 'open') {
      return new CircuitOpenError('The circuit breaker is open', { outcome: 'not-sent' })
    }
    return new DisconnectedError('There is no link', { outcome: 'not-sent' })
  }

  /** @param cause - why it closes now; otherwise why it has closed */
  closedError(cause?: BusError): ClosedError | DetachedError {
    const status = this.#facts.status()
    const why = cause ?? (status.state === 'closed' ? status.cause : undefined)
    if (why instanceof DetachedError) return why
    const options = { outcome: 'not-sent' as const, ...(why === undefined ? {} : { cause: why }) }
    return new ClosedError('The transport is closed', options)
  }
}

/** Those of one transport: the same object as long as the same is promised. */
export class CurrentCapabilities {
  readonly #options: ResolvedOptions
  #promised: ProtocolCapabilities | undefined
  #capabilities: Capabilities | undefined

  constructor(options: ResolvedOptions) {
    this.#options = options
  }

  /** With a server that does not speak the session's protocol another session stands in, which promises less. */
  with({ capabilities, pausesReading }: Session): Capabilities {
    if (this.#capabilities === undefined || this.#promised !== capabilities) {
      this.#promised = capabilities
      const inbound = pausesReading ? 'pause' : 'credits'
      this.#capabilities = capabilitiesOf(this.#options, capabilities, inbound)
    }
    return this.#capabilities
  }
}

/** Frozen; the same for every transport with these options that speaks this protocol. */
function capabilitiesOf(
  options: ResolvedOptions,
  protocol: ProtocolCapabilities,
  inbound: 'credits' | 'pause',
): Capabilities {
  return Object.freeze({
    ...protocol,
    // What is urgent passes by what was published before it.
    ...(options.admission?.hasPriorities === true ? { ordering: 'none' as const } : {}),
    backpressure: Object.freeze({
      inbound,
      outbound: options.queue.strategy === 'block' ? ('block' as const) : ('none' as const),
    }),
    maxPayload: options.maxMessageBytes,
    reconnect: options.reconnect !== false,
  })
}
