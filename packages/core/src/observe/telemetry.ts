/** Typed access to the channels of `node:diagnostics_channel` on which the bus publishes, under a prefix. */

import { channel, tracingChannel, type TracingChannel } from 'node:diagnostics_channel'
import { check } from '../config/checks.ts'
import { checkOptions, type Check } from '../config/options.ts'
import type { Event } from '../contract/event.ts'
import type { TransportStatus } from '../contract/status.ts'
import type { BreakerStateName, ErrorKind, UndeliverableReason } from '../contract/transport.ts'

/** A channel of one payload. Build the payload only when `hasSubscribers`: unheard, a channel then costs one read. */
export interface NoticeChannel<P> {
  readonly name: string | symbol
  readonly hasSubscribers: boolean
  publish(payload: P): void
}

/** The tracing channel of an operation. */
export interface Operation<C extends object> {
  /** Whether there are subscribers to any of its events: build a context only then. */
  readonly channel: { readonly hasSubscribers: boolean }
  /** Runs it and publishes its start, its end and its failure, with one context object for all of them. */
  trace<T>(run: () => Promise<T>, context: C): Promise<T>
}

/** Under which names things are published on the channels. */
export interface TelemetryOptions {
  /** Stands for `bus` in every name: letters, digits, `.`, `_` and `-`. @default 'bus' */
  readonly prefix?: string | undefined
}

/** The channels under one prefix. */
export interface Telemetry {
  readonly prefix: string
  /** The channel of a notice, by its name under the prefix `bus`; the same object each time. */
  channel<K extends keyof TelemetryNotices>(name: K): NoticeChannel<TelemetryNotices[K]>
  /** The tracing channel of an operation; the same object each time. */
  operation<K extends keyof TelemetryOperations>(name: K): Operation<TelemetryOperations[K]>
  /** Every name under this prefix, sorted. */
  readonly names: readonly string[]
  /** By name under this prefix: the keys of the payload, sorted. Names and keys are API. */
  readonly payloads: Readonly<Record<string, readonly string[]>>
}

class TracedOperation<C extends object> implements Operation<C> {
  readonly channel: TracingChannel<string, C>

  constructor(name: string) {
    this.channel = tracingChannel(name)
  }

  trace<T>(run: () => Promise<T>, context: C): Promise<T> {
    return this.channel.tracePromise(run, context)
  }
}

type Channels = { readonly [K in keyof TelemetryNotices]: NoticeChannel<TelemetryNotices[K]> }
type Operations = { readonly [K in keyof TelemetryOperations]: Operation<TelemetryOperations[K]> }

function makeTelemetry(prefix: string): Telemetry {
  const nameOf = (name: string): string => prefix + name.slice('bus'.length)
  const make = <T>(names: object, of: (name: string) => T): Record<string, T> =>
    Object.fromEntries(Object.keys(names).map((name) => [name, of(nameOf(name))]))
  const notices = make(NOTICES, (name) => channel(name)) as unknown as Channels
  const operations = make(OPERATIONS, (name) => new TracedOperation(name)) as unknown as Operations
  const rows = Object.entries({ ...NOTICES, ...OPERATIONS }).map(
    ([name, members]) => [nameOf(name), Object.freeze(Object.keys(members).toSorted())] as const,
  )
  const payloads = Object.fromEntries(rows.toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return Object.freeze({
    prefix,
    channel: <K extends keyof TelemetryNotices>(name: K) => notices[name],
    operation: <K extends keyof TelemetryOperations>(name: K) => operations[name],
    names: Object.freeze(Object.keys(payloads)),
    payloads: Object.freeze(payloads),
  })
}

/** Accepts a prefix. */
export const isTelemetryPrefix: Check = check.where(
  'to be a prefix of letters, digits, `.`, `_` and `-`',
  (value) => typeof value === 'string' && /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/i.test(value),
)

/**
 * The channels under a prefix of one's own: `telemetryOf({ prefix: 'shop' }).channel('bus.drop')` is `shop.drop`.
 *
 * @throws `ConfigError` for what is no prefix.
 */
export function telemetryOf(options: TelemetryOptions = {}): Telemetry {
  checkOptions<TelemetryOptions>('telemetry', options, { prefix: isTelemetryPrefix })
  const { prefix = 'bus' } = options
  return prefix === telemetry.prefix ? telemetry : makeTelemetry(prefix)
}

/** Which transport publishes it. */
export interface TelemetrySource {
  /** The name of its kind: `websocket`. */
  readonly transport: string
  /** Its own id among all transports. */
  readonly id: string
}

/** Operations with a start and an end, each a tracing channel: `tracing:bus.publish:start`, `…:asyncEnd`, `…:error`. */
export interface TelemetryOperations {
  /** A publish, from the call until it settles. */
  'bus.publish': { readonly transport: string; readonly event: Event }
  /** One call of a handler. */
  'bus.deliver': { readonly subscription: string; readonly event: Event; readonly attempt: number }
  /** One attempt to make a link. */
  'bus.connect': TelemetrySource & { readonly attempt: number }
}

/** A message, with its bytes before compression and without the frame's header. */
export interface MessageTelemetry extends TelemetrySource {
  readonly bytes: number
  readonly binary: boolean
}

/** Patterns of which something became. */
export interface SubscriptionTelemetry extends TelemetrySource {
  readonly patterns: readonly string[]
}

/** Things that happen at one moment, each a plain channel. */
export interface TelemetryNotices {
  /** A link is ready: `durationMs` after it was first dialed for. `url` is without secrets. */
  'bus.connection.open': TelemetrySource & {
    readonly url: string
    readonly generation: number
    readonly reconnected: boolean
    readonly protocol: string
    readonly durationMs: number
  }
  /** The handshake succeeded, `durationMs` after dialing began; what the server expects first is still to come. */
  'bus.connection.upgrade': TelemetrySource & {
    readonly attempt: number
    readonly generation: number
    readonly durationMs: number
  }
  /** A link that was ready ended; it was ready for `durationMs`. */
  'bus.connection.close': TelemetrySource & {
    readonly code: number
    readonly reason: string
    readonly wasClean: boolean
    readonly initiatedBy: 'local' | 'remote'
    readonly durationMs: number
  }
  /** An attempt to make a link failed. */
  'bus.connection.failure': TelemetrySource & { readonly attempt: number; readonly error: Error }
  /** A ping stayed without an answer, or nothing came for too long. */
  'bus.connection.timeout': TelemetrySource & { readonly silentMs: number; readonly missed: number }
  /** A live link was given to another owner, or taken over. */
  'bus.connection.handover': TelemetrySource & { readonly action: 'detached' | 'adopted' }
  /** A gauge, published when it changes: 1 while a link is ready, else 0. */
  'bus.connection.up': TelemetrySource & { readonly value: 0 | 1 }
  /** A message was handed to the socket. */
  'bus.message.sent': MessageTelemetry
  /** A message came. */
  'bus.message.received': MessageTelemetry
  /** A rate limit made something wait, `waitMs` as far as is known. */
  'bus.rate.queued': TelemetrySource & { readonly cost: number; readonly waitMs: number }
  /** A rate limit refused something; after `retryAfterMs` it would have passed. */
  'bus.rate.rejected': TelemetrySource & { readonly cost: number; readonly retryAfterMs: number }
  /** A subscription was added to a transport. */
  'bus.subscription.added': SubscriptionTelemetry
  /** A subscription ended. */
  'bus.subscription.removed': SubscriptionTelemetry
  /** A new link carries these patterns again. */
  'bus.subscription.restored': SubscriptionTelemetry
  /** A new link does not carry these patterns. */
  'bus.subscription.failed': SubscriptionTelemetry & { readonly error: Error }
  /** A pool turns to another member because this one failed. */
  'bus.pool.failover': {
    readonly pool: string
    readonly member: string
    readonly attempt: number
    readonly error: unknown
  }
  /** A lost link is made again after `delayMs`. */
  'bus.reconnect': TelemetrySource & {
    readonly attempt: number
    readonly delayMs: number
    readonly cause: Error
  }
  /** An event was given up. */
  'bus.drop': {
    readonly source: string
    readonly reason: UndeliverableReason
    readonly event: Event | undefined
  }
  /** A circuit breaker changed its state. */
  'bus.breaker': TelemetrySource & {
    readonly state: BreakerStateName
    readonly previous: BreakerStateName
  }
  /** Something happened to a dead letter. */
  'bus.dead-letter': {
    readonly action: 'added' | 'evicted' | 'refused' | 'parked'
    readonly source: string
    readonly reason: UndeliverableReason
    readonly event: Event | undefined
  }
  /** A transport changed its state. */
  'bus.status': TelemetrySource & {
    readonly status: TransportStatus
    readonly previous: TransportStatus
  }
  /** Something went wrong that no caller waits for. */
  'bus.error': { readonly source: string; readonly kind: ErrorKind; readonly error: unknown }
}

/** The members of each payload: one left out, or one too many, does not compile. */
type Members<T> = {
  readonly [N in keyof T]: { readonly [K in keyof T[N]]-?: true }
}

const source = { transport: true, id: true } as const
const message = { ...source, bytes: true, binary: true } as const
const subscription = { ...source, patterns: true } as const

/** What each notice carries. */
const NOTICES: Members<TelemetryNotices> = Object.freeze({
  'bus.breaker': { ...source, state: true, previous: true },
  'bus.connection.close': {
    ...source,
    code: true,
    reason: true,
    wasClean: true,
    initiatedBy: true,
    durationMs: true,
  },
  'bus.connection.failure': { ...source, attempt: true, error: true },
  'bus.connection.handover': { ...source, action: true },
  'bus.connection.open': {
    ...source,
    url: true,
    generation: true,
    reconnected: true,
    protocol: true,
    durationMs: true,
  },
  'bus.connection.timeout': { ...source, silentMs: true, missed: true },
  'bus.connection.up': { ...source, value: true },
  'bus.connection.upgrade': { ...source, attempt: true, generation: true, durationMs: true },
  'bus.dead-letter': { action: true, source: true, reason: true, event: true },
  'bus.drop': { source: true, reason: true, event: true },
  'bus.error': { source: true, kind: true, error: true },
  'bus.message.received': message,
  'bus.message.sent': message,
  'bus.pool.failover': { pool: true, member: true, attempt: true, error: true },
  'bus.rate.queued': { ...source, cost: true, waitMs: true },
  'bus.rate.rejected': { ...source, cost: true, retryAfterMs: true },
  'bus.reconnect': { ...source, attempt: true, delayMs: true, cause: true },
  'bus.status': { ...source, status: true, previous: true },
  'bus.subscription.added': subscription,
  'bus.subscription.failed': { ...subscription, error: true },
  'bus.subscription.removed': subscription,
  'bus.subscription.restored': subscription,
})

/** What the context of each operation carries. */
const OPERATIONS: Members<TelemetryOperations> = Object.freeze({
  'bus.connect': { ...source, attempt: true },
  'bus.deliver': { subscription: true, event: true, attempt: true },
  'bus.publish': { transport: true, event: true },
})

/**
 * The channels under the default prefix.
 *
 * @example
 * ```ts
 * import { telemetry } from '@bus/core'
 *
 * const drops = telemetry.channel('bus.drop')
 * if (drops.hasSubscribers) drops.publish({ source: 'shop', reason: 'dropped', event: undefined })
 * ```
 */
export const telemetry: Telemetry = makeTelemetry('bus')
