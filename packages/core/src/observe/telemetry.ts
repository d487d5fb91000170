/** Typed access to the channels of `node:diagnostics_channel` on which the bus publishes, under a prefix. */
import { channel, tracingChannel, type TracingChannel } from 'node:diagnostics_channel'
import { checkOptions, where, type Check } from '../config/options.ts'
import {
  NOTICES,
  OPERATIONS,
  type TelemetryNotices,
  type TelemetryOperations,
} from './telemetry-notices.ts'

export type {
  MessageTelemetry,
  SubscriptionTelemetry,
  TelemetryNotices,
  TelemetryOperations,
  TelemetrySource,
} from './telemetry-notices.ts'

/** A channel of one payload. Build the payload only when `hasSubscribers`: unheard, a channel then costs one read. */
export interface NoticeChannel<P> {
  readonly name: string | symbol
  readonly hasSubscribers: boolean
  publish(payload: P): void
}

/** The tracing channel of an operation. */
export interface Operation<C extends object> {
  /** Whether anybody listens to any of its events. */
  readonly isTraced: boolean
  /** Runs it and publishes its start, its end and its failure, with one context object for all of them. */
  trace<T>(run: () => Promise<T>, context: C): Promise<T>
}

/** Under which names something is told on the channels. */
export interface TelemetryOptions {
  /** Stands for `bus` in every name: letters, digits, `.`, `_` and `-`. @default 'bus' */
  readonly prefix?: string
}

/** The channels under one prefix. */
export interface Telemetry {
  readonly prefix: string
  /** The channel of a notice, by its name under the prefix `bus`; the same object each time. */
  channel<K extends keyof TelemetryNotices>(name: K): NoticeChannel<TelemetryNotices[K]>
  /** The tracing channel of an operation; the same object each time. Ask `isTraced` before building a context. */
  operation<K extends keyof TelemetryOperations>(name: K): Operation<TelemetryOperations[K]>
  /** Every name under this prefix, sorted. */
  readonly names: readonly string[]
  /** By name under this prefix: the keys of the payload, sorted. Names and keys are API. */
  readonly payloads: Readonly<Record<string, readonly string[]>>
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

/** Accepts a prefix. */
export const isTelemetryPrefix: Check = where(
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
