/** The subscriptions of one bus: made, found, finished and abandoned together. */

import { v7 as uuidv7 } from 'uuid'
import type { Clock } from '../contract/clock.ts'
import {
  AbortedError,
  ClosedError,
  ConfigError,
  TimeoutError,
  UnsupportedError,
  asError,
} from '../contract/errors.ts'
import type { Handler, SubscribeOptions, Subscription } from '../contract/subscriber.ts'
import { assertPattern, isType } from '../contract/type.ts'
import { AbortWatch, onAbort } from '../queue/abort-watch.ts'
import { abortable, withDeadline } from '../resilience/wait.ts'
import type { ResolvedBusOptions } from './bus-options.ts'
import type { BusHealth } from './bus.ts'
import { aroundHandler } from './middleware.ts'
import type { Notices } from './notices.ts'
import { resolveSubscribeOptions, type ResolvedSubscribeOptions } from './subscribe-options.ts'
import { HandlerSubscription } from './subscription.ts'
import type { HandlingScope, SubscriptionHost } from './handler-runner.ts'
import type { Event } from '../contract/event.ts'
import { validateEventually, type KnownPayloads } from '../contract/schema.ts'

/** What the subscriptions need of their bus. */
export interface SubscriptionsOwner {
  readonly notices: Notices
  readonly scope: HandlingScope
  /** What this bus has published itself. */
  readonly known: KnownPayloads
}

/** How long {@link Subscriptions.finish} may take. */
export interface FinishLimits {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** Keeps those that live, by id. */
export class Subscriptions {
  readonly #options: ResolvedBusOptions
  readonly #host: SubscriptionHost
  readonly #known: KnownPayloads
  readonly #live = new Map<string, HandlerSubscription>()
  readonly #signals: AbortWatch<HandlerSubscription> = new AbortWatch((subscription) => {
    void subscription.unsubscribe()
  })

  constructor(options: ResolvedBusOptions, owner: SubscriptionsOwner) {
    this.#options = options
    const { notices, scope } = owner
    this.#known = owner.known
    this.#host = {
      clock: options.clock,
      random: options.random,
      telemetry: options.telemetry,
      scope,
      hasDeadLetters: options.deadLetters !== undefined,
      giveUp: (undeliverable) => notices.giveUp(undeliverable),
      announce: (undeliverable) => notices.announce(undeliverable),
      store: (undeliverable) => notices.store(undeliverable),
      report: (kind, error) => notices.report(kind, error),
      pressure: ({ id }, level, fillRatio) =>
        notices.emit('subscription-backpressure', { id, level, fillRatio }),
      retrying: ({ id }, retry) => notices.emit('retry', { id, ...retry }),
      ended: ({ id }) => this.#live.delete(id),
    }
  }

  get(id: string): Subscription | undefined {
    return this.#live.get(id)
  }

  list(): readonly Subscription[] {
    return Object.freeze([...this.#live.values()])
  }

  health(): BusHealth['subscriptions'] {
    return [...this.#live.values()].map((subscription) => {
      const { consecutiveErrors } = subscription.stats()
      const { id, patterns, queued, isPaused } = subscription
      return Object.freeze({ id, patterns, consecutiveErrors, queued, isPaused })
    })
  }

  /** Resolves when it is live. */
  async add(
    patterns: string | readonly string[],
    handler: Handler,
    given: SubscribeOptions | undefined,
  ): Promise<Subscription> {
    const list = patternsOf(patterns)
    const options = resolveSubscribeOptions(given)
    if (typeof handler !== 'function') {
      throw ConfigError.expected('handler', 'to be a function', handler)
    }
    const { transport, middleware } = this.#options
    if (!transport.capabilities.wildcards && !list.every(isType)) {
      throw new UnsupportedError(transport.name, 'wildcards')
    }
    if (options.signal?.aborted === true) throw aborted(options.signal)
    const subscription = new HandlerSubscription({
      id: uuidv7(),
      patterns: list,
      handler: this.#validating(aroundHandler(middleware, handler)),
      options,
      host: this.#host,
    })
    this.#live.set(subscription.id, subscription)
    const { signal } = options
    if (signal !== undefined) {
      this.#signals.add(signal, subscription)
      onAbort(subscription.ended, () => this.#signals.delete(signal, subscription))
    }
    try {
      await this.#goLive(subscription, options)
    } catch (error) {
      if (subscription.ended.aborted) throw endedEarly(subscription.ended, signal)
      void subscription.unsubscribe()
      throw error
    }
    return subscription
  }

  /** No further intake; resolves when all is handled, or at the limit. */
  async finish({ clock, timeoutMs, signal }: FinishLimits): Promise<void> {
    const all = [...this.#live.values()].map((subscription) => subscription.finish())
    try {
      await withDeadline(() => Promise.all(all), { clock, timeoutMs, signal, what: 'drain' })
    } catch (error) {
      // At the limit: what is left is counted by the caller.
      if (!(error instanceof TimeoutError) && !(error instanceof AbortedError)) throw error
    }
  }

  /** Ends all at once; returns how many events were not handled. */
  abandon(error: Error): number {
    let left = 0
    for (const subscription of this.#live.values()) left += subscription.abandon(error)
    return left
  }

  #validating(handler: Handler): Handler {
    return validatingHandler(this.#options, this.#host, this.#known, handler)
  }

  /** The same because of a failure: `closed` rejects with it. */
  fail(error: Error): number {
    let left = 0
    for (const subscription of this.#live.values()) left += subscription.terminate(error)
    return left
  }

  async #goLive(
    subscription: HandlerSubscription,
    { signal, delivery }: Pick<ResolvedSubscribeOptions, 'signal' | 'delivery'>,
  ): Promise<void> {
    const feed = this.#options.transport.subscribe(subscription.patterns, subscription, {
      ...(signal === undefined ? {} : { signal }),
      ...(delivery === undefined ? {} : { delivery }),
    })
    subscription.attach(feed)
    await abortable(feed.live, subscription.ended, 'subscribe')
    // The last to become ready may have been the bus that closed.
    if (subscription.ended.aborted) throw endedEarly(subscription.ended, signal)
  }
}

/** Why a subscription ended before it was live. */
function endedEarly(ended: AbortSignal, signal: AbortSignal | undefined): Error {
  if (signal?.aborted === true) return aborted(signal)
  const reason: unknown = ended.reason
  // The end of the transport, with its cause.
  if (reason instanceof ClosedError && reason.cause !== undefined) return reason
  return new ClosedError('The subscription ended before it was live')
}

function aborted(signal: AbortSignal): AbortedError {
  return new AbortedError('subscribe', { cause: signal.reason })
}

function patternsOf(patterns: string | readonly string[]): readonly string[] {
  const list = typeof patterns === 'string' ? [patterns] : patterns
  if (!Array.isArray(list)) {
    throw ConfigError.expected('patterns', 'to be a pattern or an array of patterns', patterns)
  }
  for (const pattern of list) assertPattern(pattern)
  return [...new Set(list as readonly string[])]
}

/**
 * The handler itself, unless payloads are validated on receipt. What a schema does not accept is no failure of the
 * handler: it becomes a dead letter with reason `undecodable`, and the subscription goes on.
 */
function validatingHandler(
  { schemas, validate }: Pick<ResolvedBusOptions, 'schemas' | 'validate'>,
  host: Pick<SubscriptionHost, 'giveUp'>,
  known: KnownPayloads,
  handler: Handler,
): Handler {
  if (schemas === undefined || validate !== 'both') return handler
  const refuse = (event: Event, thrown: unknown): void => {
    const error = asError(thrown)
    const reason = 'undecodable'
    // Not stored means not settled: the error policy reports it.
    if (!host.giveUp({ reason, direction: 'inbound', error, attempts: 0, event })) throw error
  }
  return (event, context) => {
    const schema = schemas.get(event.type)
    if (schema === undefined || known.has(event.id, event.payload)) return handler(event, context)
    let payload: unknown
    try {
      payload = validateEventually(schema, event.type, event.payload)
    } catch (error) {
      return refuse(event, error)
    }
    if (!(payload instanceof Promise)) return handler(withPayload(event, payload), context)
    return payload.then(
      (valid) => handler(withPayload(event, valid), context),
      (error: unknown) => refuse(event, error),
    )
  }
}

function withPayload(event: Event, payload: unknown): Event {
  return payload === event.payload ? event : Object.freeze({ ...event, payload })
}
