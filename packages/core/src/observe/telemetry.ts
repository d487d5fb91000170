/** The names under which the bus publishes on `node:diagnostics_channel`, and what each carries. */
import { channel, tracingChannel, type TracingChannel } from 'node:diagnostics_channel'
import type { Event } from '../contract/event.ts'
import type { TransportStatus } from '../contract/status.ts'
import type { BreakerStateName, ErrorKind, UndeliverableReason } from '../contract/transport.ts'

/** Operations with a start and an end, each a tracing channel: `tracing:bus.publish:start`, `…:asyncEnd`, `…:error`. */
export interface TelemetryOperations {
  /** A publish, from the call until it settles. */
  'bus.publish': { readonly transport: string; readonly event: Event }
  /** One call of a handler. */
  'bus.deliver': { readonly subscription: string; readonly event: Event; readonly attempt: number }
  /** One attempt to make a link. */
  'bus.connect': { readonly transport: string; readonly attempt: number }
}

/** Things that happen at one moment, each a plain channel. */
export interface TelemetryNotices {
  /** A lost link is made again after `delayMs`. */
  'bus.reconnect': {
    readonly transport: string
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
  'bus.breaker': {
    readonly transport: string
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
  'bus.status': {
    readonly transport: string
    readonly status: TransportStatus
    readonly previous: TransportStatus
  }
  /** Something went wrong that no caller waits for. */
  'bus.error': { readonly source: string; readonly kind: ErrorKind; readonly error: unknown }
}

/** A channel of one payload. Build the payload only when `hasSubscribers`: unheard, a channel then costs one read. */
export interface NoticeChannel<P> {
  readonly name: string | symbol
  readonly hasSubscribers: boolean
  publish(payload: P): void
}

class TracedOperation<C extends object> implements Operation<C> {
  readonly #channel: TracingChannel<string, C>

  constructor(name: string) {
    this.#channel = tracingChannel(name)
  }

  get isTraced(): boolean {
    const { start, end, asyncStart, asyncEnd, error } = this.#channel
    return (
      start.hasSubscribers ||
      asyncEnd.hasSubscribers ||
      error.hasSubscribers ||
      end.hasSubscribers ||
      asyncStart.hasSubscribers
    )
  }

  trace<T>(run: () => Promise<T>, context: C): Promise<T> {
    return this.#channel.tracePromise(run, context)
  }
}

/**
 * Typed access to the channels.
 *
 * @example
 * ```ts
 * import { telemetry } from '@bus/core'
 *
 * const drops = telemetry.channel('bus.drop')
 * if (drops.hasSubscribers) drops.publish({ source: 'shop', reason: 'dropped', event: undefined })
 * ```
 */
export const telemetry: {
  /** The channel of a notice; the same object each time. */
  channel<K extends keyof TelemetryNotices>(name: K): NoticeChannel<TelemetryNotices[K]>
  /** The tracing channel of an operation; the same object each time. Ask `isTraced` before building a context. */
  operation<K extends keyof TelemetryOperations>(name: K): Operation<TelemetryOperations[K]>
  /** Every name, sorted. */
  readonly names: readonly string[]
} = makeTelemetry()

/** The tracing channel of an operation. */
export interface Operation<C extends object> {
  /** Whether anybody listens to any of its events. */
  readonly isTraced: boolean
  /** Runs it and publishes its start, its end and its failure, with one context object for all of them. */
  trace<T>(run: () => Promise<T>, context: C): Promise<T>
}

function makeTelemetry(): typeof telemetry {
  const notices: { readonly [K in keyof TelemetryNotices]: NoticeChannel<TelemetryNotices[K]> } = {
    'bus.reconnect': channel('bus.reconnect'),
    'bus.drop': channel('bus.drop'),
    'bus.breaker': channel('bus.breaker'),
    'bus.dead-letter': channel('bus.dead-letter'),
    'bus.status': channel('bus.status'),
    'bus.error': channel('bus.error'),
  }
  const operations: {
    readonly [K in keyof TelemetryOperations]: Operation<TelemetryOperations[K]>
  } = {
    'bus.publish': new TracedOperation('bus.publish'),
    'bus.deliver': new TracedOperation('bus.deliver'),
    'bus.connect': new TracedOperation('bus.connect'),
  }
  return Object.freeze({
    channel: <K extends keyof TelemetryNotices>(name: K) => notices[name],
    operation: <K extends keyof TelemetryOperations>(name: K) => operations[name],
    names: Object.freeze([...Object.keys(notices), ...Object.keys(operations)].toSorted()),
  })
}
