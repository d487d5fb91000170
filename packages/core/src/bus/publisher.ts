/** The way of an event out: validation, middleware, the transport. */

import { BusError, asError } from '../contract/errors.ts'
import type { Event } from '../contract/event.ts'
import { validateEventually } from '../contract/schema.ts'
import type {
  EmitOptions,
  PublishOptions,
  PublishReceipt,
  Transport,
  UndeliverableReason,
} from '../contract/transport.ts'
import type { Operation, TelemetryOperations } from '../observe/telemetry.ts'
import type { ResolvedBusOptions } from './bus-options.ts'
import type { HandlingScope, Handling } from './handling-scope.ts'
import { aroundPublish, type PublishStep } from './middleware.ts'
import type { Notices } from './notices.ts'
import type { Clock, Timer } from '../contract/clock.ts'
import type { Subscription } from '../contract/subscriber.ts'

/** What the publisher needs of its bus. */
export interface PublisherOwner {
  readonly notices: Notices
  readonly scope: HandlingScope
  /** Why nothing may be published now. */
  refusal(): Error | undefined
}

/** Without middleware and schemas a publish is the transport's own: no promise is added. */
export class Publisher {
  readonly #transport: Transport
  readonly #owner: PublisherOwner
  readonly #schemas: ResolvedBusOptions['schemas']
  readonly #sendsOutput: boolean
  readonly #operation: Operation<TelemetryOperations['bus.publish']>
  readonly #publish: PublishStep
  readonly #emit: PublishStep | undefined
  readonly #inHandlers: HandlerPublishes

  constructor(options: ResolvedBusOptions, owner: PublisherOwner) {
    const { transport, schemas, validate, middleware } = options
    this.#transport = transport
    this.#owner = owner
    this.#schemas = schemas
    this.#sendsOutput = validate === 'publish'
    this.#operation = options.telemetry.operation('bus.publish')
    this.#publish = aroundPublish(middleware, (event, wait) => this.#send(event, wait))
    const wraps = middleware.some((layer) => layer.publish !== undefined)
    this.#emit = wraps
      ? aroundPublish(middleware, (event, how) => this.#handOver(event, how))
      : undefined
    this.#inHandlers = new HandlerPublishes({
      clock: options.clock,
      blockedHandlerMs: options.blockedHandlerMs,
      blocked: ({ id }, event, waitedMs) =>
        owner.notices.emit('blocked-handler', { id, event, waitedMs }),
    })
  }

  publish(event: Event, options: PublishOptions): Promise<PublishReceipt> {
    const sent = this.#start(event, options)
    const handling = this.#owner.scope.currentOfAny
    if (handling?.live === true) this.#inHandlers.watch(handling, event, sent)
    return sent
  }

  /** No timer is left. */
  close(): void {
    this.#inHandlers.close()
  }

  #start(event: Event, options: PublishOptions): Promise<PublishReceipt> {
    const refusal = this.#owner.refusal()
    if (refusal !== undefined) return Promise.reject(refusal)
    let checked: Event | Promise<Event>
    try {
      checked = this.#validated(event)
    } catch (error) {
      return Promise.reject(error)
    }
    // Not awaited unless it must be: the transport fixes the bytes before publish returns control.
    if (!(checked instanceof Promise)) return this.#publish(checked, options)
    return checked.then((valid) => this.#publish(valid, options))
  }

  /** `false`: wait for `ready`. Never throws: a failure is an `error` notice and a dead letter. */
  emit(event: Event, options: EmitOptions): boolean {
    try {
      const refusal = this.#owner.refusal()
      if (refusal !== undefined) throw refusal
      const checked = this.#validated(event)
      if (!(checked instanceof Promise) && this.#emit === undefined) {
        return this.#transport.emit(checked, options)
      }
      this.#emitLater(event, checked, options)
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
    if (!this.#operation.isTraced) return this.#transport.publish(event, options)
    const context = { transport: this.#transport.name, event }
    return this.#operation.trace(() => this.#transport.publish(event, options), context)
  }
}

function reasonOf(error: Error): UndeliverableReason {
  const isClosed = error instanceof BusError && ['closed', 'draining'].includes(error.code)
  return isClosed ? 'closed' : 'rejected'
}

export interface HandlerPublishesOptions {
  readonly clock: Clock
  readonly blockedHandlerMs: number
  /** Told at most once for a subscription until none of its handlers waits. */
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
 * this very handler has not taken, both wait for each other. Looked at with one timer, so that a publish costs no timer.
 */
export class HandlerPublishes {
  readonly #options: HandlerPublishesOptions
  /** The oldest first. */
  readonly #waiting = new Set<Waiting>()
  readonly #told = new Set<Subscription>()
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
      this.#look()
      if (this.#waiting.size > 0) this.#arm()
    }, blockedHandlerMs)
  }

  #look(): void {
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
        if (waitedMs < blockedHandlerMs || this.#told.has(subscription)) continue
        this.#told.add(subscription)
        blocked(subscription, event, waitedMs)
      }
    }
    for (const subscription of this.#told)
      if (!stillWaiting.has(subscription)) this.#told.delete(subscription)
  }
}
