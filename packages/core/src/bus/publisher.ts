/** The way of an event out: from the arguments of `publish` and `emit` over validation and middleware to the transport. */

import { randomFillSync } from 'node:crypto'
import { v7 } from 'uuid'
import type { Clock, Timer } from '../contract/clock.ts'
import { BusError, asError, type ConfigError } from '../contract/errors.ts'
import {
  assertEvent,
  assertId,
  type Event,
  type EventInit,
  type EventMetadata,
} from '../contract/event.ts'
import { validateEventually } from '../contract/schema.ts'
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
  /** Why nothing may be published now: checked again where middleware delayed an `emit`. */
  refusal(): Error | undefined
}

/** Without middleware and schemas a publish is the transport's own: no promise is added. */
export class Publisher {
  readonly #transport: Transport
  readonly #owner: PublisherOwner
  readonly #schemas: ResolvedBusOptions['schemas']
  readonly #sendsOutput: boolean
  readonly #operation: Operation<TelemetryOperations['bus.publish']>
  /** Only with middleware around publish. */
  readonly #publish: PublishStep | undefined
  readonly #emit: PublishStep | undefined
  readonly #inHandlers: HandlerPublishes
  readonly #factory: EventFactory
  #isRestricted = false

  constructor(options: ResolvedBusOptions, owner: PublisherOwner) {
    const { transport, schemas, validate, middleware } = options
    this.#factory = new EventFactory(options.source, options.createId)
    this.#transport = transport
    this.#owner = owner
    this.#schemas = schemas
    this.#sendsOutput = validate === 'publish'
    this.#operation = options.telemetry.operation('bus.publish')
    if (middleware.some((layer) => layer.publish !== undefined)) {
      this.#publish = aroundPublish(middleware, (event, wait) => this.#send(event, wait))
      this.#emit = aroundPublish(middleware, (event, how) => this.#handOver(event, how))
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
    const sent =
      isPlain && !this.#operation.channel.hasSubscribers
        ? this.#transport.publish(event, wait)
        : this.#publishThrough(event, wait)
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
    const publish = this.#publish ?? ((valid: Event) => this.#send(valid, options))
    let checked: Event | Promise<Event>
    try {
      checked = this.#validated(event)
    } catch (error) {
      return Promise.reject(error)
    }
    // Not awaited unless it must be: the transport fixes the bytes before publish returns control.
    if (!(checked instanceof Promise)) return publish(checked, options)
    return checked.then((valid) => publish(valid, options))
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
      if (!(checked instanceof Promise) && this.#emit === undefined) {
        return this.#transport.emit(checked, how)
      }
      this.#emitLater(event, checked, how)
    } catch (error) {
      this.#giveUp(event, error)
    }
    return this.#transport.backpressureStats().fillRatio < 1
  }

  #emitLater(event: Event, checked: Event | Promise<Event>, options: EmitOptions): void {
    const handOver = this.#emit ?? ((valid: Event) => this.#handOver(valid, options))
    const handed =
      checked instanceof Promise
        ? checked.then((valid) => handOver(valid, options))
        : handOver(checked, options)
    handed.catch((error: unknown) => this.#giveUp(event, error))
  }

  async #handOver(event: Event, options: EmitOptions): Promise<PublishReceipt> {
    const refusal = this.#owner.refusal()
    if (refusal !== undefined) throw refusal
    this.#transport.emit(event, options)
    return { id: event.id, status: 'sent', attempts: 1 }
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
    return payload instanceof Promise ? payload.then(withPayload) : withPayload(payload)
  }

  #send(event: Event, options: PublishOptions): Promise<PublishReceipt> {
    if (!this.#operation.channel.hasSubscribers) return this.#transport.publish(event, options)
    const context = { transport: this.#transport.name, event }
    return this.#operation.trace(() => this.#transport.publish(event, options), context)
  }
}

const NO_OPTIONS: PublishOptions = Object.freeze({})

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
 * A handler that waits for its own publish takes nothing meanwhile. Where the medium holds publishers back because of what
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
    const metadata =
      init === undefined
        ? Object.freeze(source === undefined ? { timestamp: nowMs } : { timestamp: nowMs, source })
        : metadataOf(init.timestamp ?? nowMs, source, init)
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
/** Ids per stem: as many as four hexadecimal digits can tell apart. */
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
