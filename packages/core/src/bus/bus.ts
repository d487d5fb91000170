/** The bus: typed publishing and subscribing over any transport, with a life of its own. */

import type { Readable, Writable } from 'node:stream'
import type { Capabilities } from '../contract/capabilities.ts'
import type { TransportStatus } from '../contract/status.ts'
import type {
  EventMap,
  EventOf,
  OtherPattern,
  PatternOf,
  RunTimePattern,
} from '../contract/event-map.ts'
import type { Subscriber, Subscription, SubscriptionStats } from '../contract/subscriber.ts'
import type {
  CloseOptions,
  ConnectOptions,
  DrainOptions,
  DrainReport,
  Health,
  HealthOptions,
  Listenable,
  Transport,
} from '../contract/transport.ts'
import type { TransportTrace } from '../observe/trace.ts'
import type { DeadLetterQueue, DeadLetterStats } from '../resilience/dead-letters.ts'
import type { IterateOptions } from './iterate.ts'
import type { ReadableOptions, WritableOptions } from './streams.ts'
import type { BusEvents } from './notices.ts'
import type { ObservableTransport, TransportMetrics } from '../contract/transport-metrics.ts'

/** How the bus is doing: its transport, and each subscription. */
export interface BusHealth extends Health {
  readonly subscriptions: readonly {
    readonly id: string
    readonly patterns: readonly string[]
    /** Failures in a row; 0 after a success. */
    readonly consecutiveErrors: number
    /** Events that wait for the handler. */
    readonly queued: number
    readonly isPaused: boolean
  }[]
}

/**
 * Publishes and subscribes over one transport, which it owns.
 *
 * - The first `publish`, `emit` or `subscribe` makes the transport connect; they wait for it as the transport's options say.
 * - While it drains, only handlers that still run may publish. Once closed, every call rejects with `ClosedError`.
 * - `await using` drains, with the default deadline.
 */
export interface Bus<M extends EventMap = EventMap, H extends EventMap = M>
  extends Subscriber<M, H>, Listenable<BusEvents>, AsyncDisposable {
  readonly capabilities: Capabilities
  /** That of the transport. */
  readonly status: TransportStatus
  readonly deadLetters: DeadLetterQueue | undefined
  /** Those that live. */
  readonly subscriptions: readonly Subscription[]
  /** Connects now instead of on first use; rejects with the failure of the first attempt, unless `retry` is set. */
  connect(options?: ConnectOptions): Promise<void>
  health(options?: HealthOptions): Promise<BusHealth>
  /** The inner state in one picture: transport, subscriptions, dead letters. */
  metrics(): BusMetrics
  /** The latest changes of the transport's state, where it keeps them. */
  trace(): TransportTrace | undefined
  /**
   * The matching events, on demand. What is not requested yet waits in the queue of the subscription; when that is full, the
   * transport is slowed down as the queue's strategy says. An event is settled when the next one is requested, so one that was
   * being worked on when the loop broke is not. No patterns: everything.
   */
  events<P extends string, K extends PatternOf<H>>(
    pattern: K | OtherPattern<H, P>,
    options?: IterateOptions,
  ): AsyncIterableIterator<EventOf<H, P>> & AsyncDisposable
  /** The same for everything. */
  events<P extends '>'>(
    patterns: readonly [],
    options?: IterateOptions,
  ): AsyncIterableIterator<EventOf<H, P>> & AsyncDisposable
  /** The same for several patterns. */
  events<P extends string, K extends PatternOf<H>>(
    patterns: readonly (K | OtherPattern<H, P>)[],
    options?: IterateOptions,
  ): AsyncIterableIterator<EventOf<H, P>> & AsyncDisposable
  /** The same for what is only known at run time to be one pattern or several. */
  events<P extends string>(
    patterns: RunTimePattern<P> | readonly RunTimePattern<P>[],
    options?: IterateOptions,
  ): AsyncIterableIterator<EventOf<H, P>> & AsyncDisposable
  /**
   * The matching events as a stream of objects, with back pressure. Destroying it unsubscribes. An event is settled when the
   * consumer asks for the next one, or, in a pipe, when the stream behind has processed it.
   */
  toReadable(patterns: string | readonly string[], options?: ReadableOptions): Readable
  /** A stream that publishes what is written: events, or `{ type, payload }`. */
  toWritable(options?: WritableOptions): Writable
  /**
   * Takes nothing new, lets handlers finish, sends what was accepted, then closes. Events that were not handled
   * when the time was up are dead letters with reason `closed`. Called from inside a handler it does not wait for
   * that handler. An aborted drain closes at once and rejects.
   */
  drain(options?: DrainOptions): Promise<DrainReport>
  /** Ends at once, without waiting for handlers: their signals abort, and what waits becomes dead letters. Idempotent. */
  close(options?: CloseOptions): Promise<void>
}

/** A bus with whatever events: what a helper takes that works with every bus. */
export type AnyBus = Bus

/** What a bus shows of itself: plain data. */
export interface BusMetrics {
  /** Absent where the transport does not show its inner state. */
  readonly transport?: TransportMetrics
  /** Those that live. */
  readonly subscriptions: readonly (SubscriptionStats & {
    readonly id: string
    readonly patterns: readonly string[]
  })[]
  /** Absent where there are none. */
  readonly deadLetters?: DeadLetterStats
}

/** Puts it together. */
export function busMetrics(
  transport: Transport & Partial<ObservableTransport>,
  subscriptions: readonly Subscription[],
  deadLetters: DeadLetterQueue | undefined,
): BusMetrics {
  const metrics = transport.metrics?.()
  return Object.freeze({
    ...(metrics === undefined ? {} : { transport: metrics }),
    subscriptions: subscriptions.map((subscription) => {
      const { id, patterns } = subscription
      return { id, patterns, ...subscription.stats() }
    }),
    ...(deadLetters === undefined ? {} : { deadLetters: deadLetters.stats() }),
  })
}

/** The past of the transport; `undefined` where it keeps none. */
export function transportTrace(
  transport: Transport & Partial<ObservableTransport>,
): TransportTrace | undefined {
  return transport.trace?.()
}
