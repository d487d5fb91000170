/** The way of an event out: from the arguments of `publish` and `emit` over validation and middleware to the transport. */

import { AsyncLocalStorage } from 'node:async_hooks'
import { randomFillSync } from 'node:crypto'
import { v7 } from 'uuid'
import type { Clock, Timer } from '../contract/clock.ts'
import { BusError, asError, type ConfigError } from '../contract/errors.ts'
import {
  assertEvent,
  assertId,
  assertMetadata,
  type Event,
  type EventInit,
  type EventMetadata,
} from '../contract/event.ts'
import { validateEventually, type KnownPayloads } from '../contract/schema.ts'
import type { Subscription } from '../contract/subscriber.ts'
import type {
  EmitOptions,
  PublishOptions,
  PublishReceipt,
  Transport,
  UndeliverableReason,
} from '../contract/transport.ts'
import { assertType } from '../contract/type.ts'
import type { Operation, TelemetryOperations } from '../observe/telemetry.ts'
import type { ResolvedBusOptions } from './bus-options.ts'
import type { Handling, HandlingScope } from './handler-runner.ts'
import { aroundPublish, type PublishStep } from './middleware.ts'
import type { Notices } from './notices.ts'

/** What the publisher needs of its bus. */
export interface PublisherOwner {
  readonly notices: Notices
  readonly scope: HandlingScope
  readonly known: KnownPayloads
  /** Why nothing may be published now: checked again where middleware delayed an `emit`. */
  refusal(): Error | undefined
}

/** Publishes after which the event loop gets a turn: awaited in a loop, each could settle without one. */
const PUBLISHES_PER_TURN = 256

// Of the process, not what a test puts in its place: a fake one would never fire.
const { setImmediate } = globalThis

/** Without middleware and schemas a publish is the transport's own: no promise is added. */
export class Publisher {
  readonly #transport: Transport
  readonly #owner: PublisherOwner
  readonly #schemas: ResolvedBusOptions['schemas']
  readonly #sendsOutput: boolean
  readonly #operation: Operation<TelemetryOperations['bus.publish']>
  /** Only with middleware around publish. */
  readonly #publish: PublishStep<PublishCall> | undefined
  readonly #emit: PublishStep<PublishCall> | undefined
  readonly #order: PublishOrder
  readonly #inHandlers: HandlerPublishes
  readonly #factory: EventFactory
  #isRestricted = false
  #sinceTurn = 0

  constructor(options: ResolvedBusOptions, owner: PublisherOwner) {
    const { transport, schemas, validate, middleware } = options
    this.#factory = new EventFactory(options.source, options.createId)
    this.#transport = transport
    this.#owner = owner
    this.#schemas = schemas
    this.#sendsOutput = validate === 'publish'
    this.#operation = options.telemetry.operation('bus.publish')
    const isAround = middleware.some((layer) => layer.publish !== undefined)
    this.#order = new PublishOrder(isAround)
    if (isAround) {
      this.#publish = aroundPublish(middleware, (event, call) => this.#sendInOrder(event, call))
      this.#emit = aroundPublish(middleware, (event, call) => this.#handOverInOrder(event, call))
    }
    this.#inHandlers = new HandlerPublishes({
      clock: options.clock,
      blockedHandlerMs: options.blockedHandlerMs,
      blocked: ({ id }, event, waitedMs) =>
        owner.notices.emit('blocked-handler', { id, event, waitedMs }),
    })
  }

  publish(
    typeOrEvent: string | Event,
    payloadOrOptions?: unknown,
    options?: PublishOptions & { readonly metadata?: EventInit | undefined },
  ): Promise<PublishReceipt> {
    const isNew = typeof typeOrEvent === 'string'
    const wait = (isNew ? options : (payloadOrOptions as PublishOptions | undefined)) ?? NO_OPTIONS
    let event: Event
    try {
      event = this.#factory.make(typeOrEvent, payloadOrOptions, options?.metadata)
    } catch (error) {
      return Promise.reject(error)
    }
    if (this.#isRestricted) {
      const refusal = this.#owner.refusal()
      if (refusal !== undefined) return Promise.reject(refusal)
    }
    const isPlain = this.#publish === undefined && this.#schemas?.get(event.type) === undefined
    let sent =
      isPlain && this.#order.isIdle && !this.#operation.channel.hasSubscribers
        ? this.#transport.publish(event, wait)
        : this.#publishThrough(event, wait)
    this.#sinceTurn++
    if (this.#sinceTurn >= PUBLISHES_PER_TURN) sent = this.#afterTurn(sent)
    const handling = this.#owner.scope.currentOfAny
    if (handling?.live === true) this.#inHandlers.watch(handling, event, sent)
    return sent
  }

  /** The bus is no longer open: what is published from now on may be refused. */
  restrict(): void {
    this.#isRestricted = true
  }

  /** No timer is left. */
  close(): void {
    this.restrict()
    this.#inHandlers.close()
  }

  /** Through the schema, the middleware and the tracing channel. */
  #publishThrough(event: Event, options: PublishOptions): Promise<PublishReceipt> {
    let checked: Event | Promise<Event>
    try {
      checked = this.#validated(event)
    } catch (error) {
      return Promise.reject(error)
    }
    const publish = this.#publish
    if (!(checked instanceof Promise) && publish === undefined && this.#order.isIdle) {
      // Not awaited unless it must be: the transport fixes the bytes before publish returns control.
      return this.#send(checked, options)
    }
    const steps = publish ?? ((valid: Event, call) => this.#sendInOrder(valid, call))
    return this.#order.run(options, checked, steps)
  }

  /** `false`: wait for `ready`. Never throws: a failure is an `error` event and a dead letter. */
  emit(
    typeOrEvent: string | Event,
    payloadOrOptions?: unknown,
    options?: EmitOptions & { readonly metadata?: EventInit | undefined },
  ): boolean {
    const isNew = typeof typeOrEvent === 'string'
    const how = (isNew ? options : (payloadOrOptions as EmitOptions | undefined)) ?? NO_OPTIONS
    let event: Event
    try {
      event = this.#factory.make(typeOrEvent, payloadOrOptions, options?.metadata)
    } catch (error) {
      this.#owner.notices.report('emit', error as ConfigError)
      return true
    }
    try {
      const refusal = this.#owner.refusal()
      if (refusal !== undefined) throw refusal
      const checked = this.#validated(event)
      if (!(checked instanceof Promise) && this.#emit === undefined && this.#order.isIdle) {
        return this.#transport.emit(checked, how)
      }
      const steps = this.#emit ?? ((valid: Event, call) => this.#handOverInOrder(valid, call))
      this.#order.run(how, checked, steps).catch((error: unknown) => this.#giveUp(event, error))
    } catch (error) {
      this.#giveUp(event, error)
    }
    return this.#transport.backpressureStats().fillRatio < 1
  }

  /** Settles as the publish does, once the event loop has had a turn: else awaited publishes could starve every timer. */
  async #afterTurn(sent: Promise<PublishReceipt>): Promise<PublishReceipt> {
    this.#sinceTurn = 0
    try {
      return await sent
    } finally {
      await new Promise<void>((resolve) => void setImmediate(resolve))
    }
  }

  #handOverInOrder(event: Event, { place, options }: PublishCall): Promise<PublishReceipt> {
    return place.pass(() => {
      const refusal = this.#owner.refusal()
      if (refusal !== undefined) throw refusal
      this.#transport.emit(event, options)
      return Promise.resolve({ id: event.id, status: 'sent', attempts: 1 } as const)
    })
  }

  #giveUp(event: Event, thrown: unknown): void {
    const error = asError(thrown)
    const { notices } = this.#owner
    notices.report('emit', error)
    notices.giveUp({ reason: reasonOf(error), direction: 'outbound', error, attempts: 0, event })
  }

  #validated(event: Event): Event | Promise<Event> {
    const schema = this.#schemas?.get(event.type)
    if (schema === undefined) return event
    const payload = validateEventually(schema, event.type, event.payload)
    const withPayload = (valid: unknown): Event =>
      this.#sendsOutput && valid !== event.payload
        ? Object.freeze({ ...event, payload: valid })
        : event
    if (!(payload instanceof Promise)) return withPayload(payload)
    return payload.then((valid: unknown) => {
      if (valid === event.payload) this.#owner.known.add(event.id, valid)
      return withPayload(valid)
    })
  }

  #sendInOrder(event: Event, { place, options }: PublishCall): Promise<PublishReceipt> {
    return place.pass(() => this.#send(event, options))
  }

  #send(event: Event, options: PublishOptions): Promise<PublishReceipt> {
    if (!this.#operation.channel.hasSubscribers) return this.#transport.publish(event, options)
    const context = { transport: this.#transport.name, event }
    return this.#operation.trace(() => this.#transport.publish(event, options), context)
  }
}

const NO_OPTIONS: PublishOptions = Object.freeze({})
/** A publish on its way through schema and middleware. */
interface PublishCall {
  readonly options: PublishOptions
  readonly place: PlaceInOrder
}

/**
 * Lets events reach the transport in the order in which they were published, also where a schema or a middleware answers
 * later for one than for the next. These run at once for each event; only the last step, into the transport, waits.
 */
class PublishOrder {
  #last: PlaceInOrder | undefined
  /**
   * What a middleware publishes itself before it goes on must not wait for the event that the middleware holds. Followed only
   * where there is middleware: it slows down every promise of the process.
   */
  readonly #holder: AsyncLocalStorage<PlaceInOrder> | undefined

  constructor(hasMiddleware: boolean) {
    this.#holder = hasMiddleware ? new AsyncLocalStorage<PlaceInOrder>() : undefined
  }

  /** Whether nothing is on its way. */
  get isIdle(): boolean {
    return this.#last === undefined
  }

  /** Takes an event through the steps, and lets those behind it go on when it has passed or failed. */
  async run(
    options: PublishOptions,
    checked: Event | Promise<Event>,
    steps: PublishStep<PublishCall>,
  ): Promise<PublishReceipt> {
    const place = this.#enter()
    const run = (event: Event): Promise<PublishReceipt> =>
      this.#holder === undefined
        ? steps(event, { options, place })
        : this.#holder.run(place, steps, event, { options, place })
    try {
      return await (checked instanceof Promise ? checked.then(run) : run(checked))
    } finally {
      place.leave()
    }
  }

  #enter(): PlaceInOrder {
    const holder = this.#holder?.getStore()
    if (holder !== undefined) return new PlaceInOrder(holder.turn, () => {})
    const place: PlaceInOrder = new PlaceInOrder(this.#last?.whenPassed(), () => {
      if (this.#last === place) this.#last = undefined
    })
    this.#last = place
    return place
  }
}

/** Of one publish. */
class PlaceInOrder {
  /** Resolves when everything before has passed; `undefined`: there is nothing. */
  readonly turn: Promise<void> | undefined
  readonly #onPassed: () => void
  #hasLeft = false
  #resolve: (() => void) | undefined

  /** @param onPassed - called when this and everything before it has passed */
  constructor(turn: Promise<void> | undefined, onPassed: () => void) {
    this.turn = turn
    this.#onPassed = onPassed
  }

  /** Resolves when this and everything before it has passed. Called once, before {@link leave}. */
  whenPassed(): Promise<void> {
    const left = new Promise<void>((resolve) => (this.#resolve = resolve))
    return this.turn === undefined ? left : this.turn.then(() => left)
  }

  /** Calls the last step when its turn has come. */
  pass(handOver: () => Promise<PublishReceipt>): Promise<PublishReceipt> {
    return this.turn === undefined ? this.#passNow(handOver) : this.#passLater(handOver)
  }

  /** It has passed, or never will. */
  leave(): void {
    if (this.#hasLeft) return
    this.#hasLeft = true
    this.#resolve?.()
    if (this.turn === undefined) this.#onPassed()
    else void this.turn.then(this.#onPassed)
  }

  async #passLater(handOver: () => Promise<PublishReceipt>): Promise<PublishReceipt> {
    await this.turn
    return this.#passNow(handOver)
  }

  /** Those behind wait until the transport has it, not until it has settled. */
  async #passNow(handOver: () => Promise<PublishReceipt>): Promise<PublishReceipt> {
    let sent: Promise<PublishReceipt>
    try {
      sent = handOver()
    } finally {
      this.leave()
    }
    return sent
  }
}

function reasonOf(error: Error): UndeliverableReason {
  const isClosed = error instanceof BusError && ['closed', 'draining'].includes(error.code)
  return isClosed ? 'closed' : 'rejected'
}

export interface HandlerPublishesOptions {
  readonly clock: Clock
  readonly blockedHandlerMs: number
  /** Called at most once for a subscription until none of its handlers waits. */
  readonly blocked: (subscription: Subscription, event: Event, waitedMs: number) => void
}

/** A publish that a handler may be waiting for. */
interface Waiting {
  readonly handling: Handling
  readonly event: Event
  readonly since: number
}

/**
 * A handler that waits for its own publish takes nothing meanwhile. Where the medium lets publishers wait because of what
 * this very handler has not taken, both wait for each other. One timer checks all of them, so that a publish costs no timer.
 */
export class HandlerPublishes {
  readonly #options: HandlerPublishesOptions
  /** The oldest first. */
  readonly #waiting = new Set<Waiting>()
  readonly #reported = new Set<Subscription>()
  #timer: Timer | undefined

  constructor(options: HandlerPublishesOptions) {
    this.#options = options
  }

  watch(handling: Handling, event: Event, publish: Promise<unknown>): void {
    const waiting: Waiting = { handling, event, since: this.#options.clock.now() }
    const end = (): void => void this.#waiting.delete(waiting)
    this.#waiting.add(waiting)
    publish.then(end, end)
    this.#arm()
  }

  /** No timer is left. */
  close(): void {
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#waiting.clear()
  }

  #arm(): void {
    const { clock, blockedHandlerMs } = this.#options
    this.#timer ??= clock.setTimeout(() => {
      this.#timer = undefined
      this.#check()
      if (this.#waiting.size > 0) this.#arm()
    }, blockedHandlerMs)
  }

  #check(): void {
    const { clock, blockedHandlerMs, blocked } = this.#options
    const stillWaiting = new Set<Subscription>()
    for (const waiting of this.#waiting) {
      const { handling, event, since } = waiting
      const { subscription } = handling
      // The handler has ended, and left the publish behind: nothing waits for it.
      if (!handling.live) this.#waiting.delete(waiting)
      else {
        stillWaiting.add(subscription)
        const waitedMs = clock.now() - since
        if (waitedMs < blockedHandlerMs || this.#reported.has(subscription)) continue
        this.#reported.add(subscription)
        blocked(subscription, event, waitedMs)
      }
    }
    for (const subscription of this.#reported)
      if (!stillWaiting.has(subscription)) this.#reported.delete(subscription)
  }
}

/** Makes the events of one bus, with its source and its ids. */
export class EventFactory {
  readonly #source: string | undefined
  readonly #createId: (() => string) | undefined
  readonly #ids = new EventIds()
  /** The last type that was checked: streams repeat themselves. */
  #type: string | undefined

  constructor(source: string | undefined, createId: (() => string) | undefined) {
    this.#source = source
    this.#createId = createId
  }

  /** @throws `ConfigError` for a bad type, id or event. */
  make(typeOrEvent: unknown, payload: unknown, init: EventInit | undefined): Event {
    if (typeof typeOrEvent !== 'string') {
      assertEvent(typeOrEvent)
      return typeOrEvent
    }
    const type = typeOrEvent
    if (type !== this.#type) {
      assertType(type)
      this.#type = type
    }
    const nowMs = Date.now()
    const id = init?.id ?? this.#createId?.()
    if (id !== undefined) assertId(id)
    const source = this.#source
    let metadata: EventMetadata
    if (init === undefined) {
      metadata = Object.freeze(
        source === undefined ? { timestamp: nowMs } : { timestamp: nowMs, source },
      )
    } else {
      metadata = metadataOf(init.timestamp ?? nowMs, source, init)
      assertMetadata(metadata)
    }
    return Object.freeze({ id: id ?? this.#ids.next(nowMs), type, payload, metadata })
  }
}

/** One literal with one spread: to leave a member out again costs ten times as much, so that is only done where needed. */
function metadataOf(timestamp: number, source: string | undefined, init: EventInit): EventMetadata {
  if (!('timestamp' in init) && !('id' in init)) {
    if (source === undefined || init.source !== undefined) {
      return Object.freeze({ timestamp, ...init })
    }
    if (!('source' in init)) return Object.freeze({ timestamp, source, ...init })
  }
  const { id: _id, timestamp: _timestamp, source: own = source, ...rest } = init
  return Object.freeze(
    own === undefined ? { timestamp, ...rest } : { timestamp, source: own, ...rest },
  )
}

/** Characters of a UUID before the part that counts. */
const STEM_LENGTH = 32
/** Ids per stem: as many as four hexadecimal digits can distinguish. */
const IDS_PER_STEM = 0x1_0000
/** Random bytes of a UUID. */
const RANDOM_BYTES = 16
/** To draw the bytes for many costs as much as for one. */
const POOL_BYTES = 256 * RANDOM_BYTES

/**
 * Ids of events: UUIDs of version 7, which sort by time. One per bus. Each millisecond draws a UUID, whose last 16 random bits are replaced by a counter (RFC 9562, section
 * 6.2, method 1): so an id costs a number, not a UUID.
 */
export class EventIds {
  readonly #pool = new Uint8Array(POOL_BYTES)
  #drawn = POOL_BYTES
  #stem = ''
  #stemMs = -Infinity
  #count = 0

  next(nowMs: number): string {
    let renewMs: number | undefined
    if (nowMs > this.#stemMs) renewMs = nowMs
    // A clock that steps back does not take the ids back with it.
    else if (this.#count === IDS_PER_STEM) renewMs = this.#stemMs + 1
    if (renewMs !== undefined) {
      if (this.#drawn === POOL_BYTES) {
        randomFillSync(this.#pool)
        this.#drawn = 0
      }
      const random = this.#pool.subarray(this.#drawn, (this.#drawn += RANDOM_BYTES))
      this.#stem = v7({ msecs: renewMs, random }).slice(0, STEM_LENGTH)
      this.#stemMs = renewMs
      this.#count = 0
    }
    return this.#stem + (IDS_PER_STEM + this.#count++).toString(16).slice(1)
  }
}
