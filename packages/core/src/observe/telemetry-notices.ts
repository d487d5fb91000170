/** What is published on `node:diagnostics_channel`: each name under the default prefix, and what it carries. */
import type { Event } from '../contract/event.ts'
import type { TransportStatus } from '../contract/status.ts'
import type { BreakerStateName, ErrorKind, UndeliverableReason } from '../contract/transport.ts'

/** Which transport it is that tells something. */
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
  /** A gauge, told when it changes: 1 while a link is ready, else 0. */
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
export const NOTICES: Members<TelemetryNotices> = Object.freeze({
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
export const OPERATIONS: Members<TelemetryOperations> = Object.freeze({
  'bus.connect': { ...source, attempt: true },
  'bus.deliver': { subscription: true, event: true, attempt: true },
  'bus.publish': { transport: true, event: true },
})
