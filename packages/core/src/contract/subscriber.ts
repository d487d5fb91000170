/** What an application works with: publish, emit, subscribe, unsubscribe, and the state of the queue. */
import type { BackoffPolicy } from '../resilience/backoff.ts'
import type { QueueOptions, QueueStats } from '../queue/queue-options.ts'
import type { Event } from './event.ts'
import type {
  EventMap,
  EventOf,
  OtherPattern,
  PatternOf,
  Publishable,
  PublishRest,
  RunTimePattern,
} from './event-map.ts'
import type {
  Delivery,
  EmitOptions,
  PublishOptions,
  PublishReceipt,
  Undeliverable,
  WaitOptions,
} from './transport.ts'

/** What a handler learns besides the event. */
export interface HandlerContext {
  /** 1 the first time, more when the error policy retries. */
  readonly attempt: number
  /** Aborted when the bus closes without waiting for this handler. */
  readonly signal: AbortSignal
  readonly subscription: Subscription
}

/** Handles one event. What it throws goes to the subscription's error policy, never to the publisher. */
export type Handler<E extends Event = Event> = (
  event: E,
  context: HandlerContext,
) => void | Promise<void>

/** What happens to an event whose handler failed. */
export interface ErrorPolicy {
  /**
   * - `drop`: count it, report it, go on.
   * - `dlq`: store it in the dead letters, go on.
   * - `fail`: stop the subscription; its `closed` rejects.
   * - `retry`: as `retry` says, four attempts where it does not; then `dlq` where the bus has dead letters, else `drop`.
   * @default 'dlq'
   */
  readonly strategy?: 'drop' | 'dlq' | 'fail' | 'retry' | undefined
  /** Tries before the strategy applies. Errors with `retryable: false` are not tried again. */
  readonly retry?:
    | {
        /** Attempts in total, the first included: an integer ≥ 1, or `Infinity`. */
        readonly attempts: number
        /** @default 100 ms, doubling, at most 10 s, full jitter */
        readonly backoff?: BackoffPolicy | undefined
      }
    | undefined
  /** Where the dead letters of this subscription go, and what happens when they cannot. */
  readonly deadLetter?: DeadLetterPolicy | undefined
}

/** The last way of an event that was given up. Its handler is not run again, whatever happens here. */
export interface DeadLetterPolicy {
  /**
   * Takes each event whose handling failed, instead of the dead letters of the bus. What it throws or rejects with is a
   * delivery that failed. @default the dead letters of the bus
   */
  readonly deliver?: ((letter: Undeliverable) => void | Promise<void>) | undefined
  /**
   * After a delivery that failed, which is reported in any case:
   * - `keep`: the event stays unsettled, so that a transport that acknowledges delivers it again some day.
   * - `log`: the event is settled; the report is all that is left of it.
   * - `fail`: stop the subscription; its `closed` rejects, and the event stays unsettled.
   * - `retry`: deliver again as `retry` says, then `keep`.
   * @default 'keep'
   */
  readonly fallback?: 'keep' | 'log' | 'fail' | 'retry' | undefined
  /** For fallback `retry`. @default 4 attempts */
  readonly retry?:
    | {
        /** Deliveries in total, the first included: an integer ≥ 1, or `Infinity`. */
        readonly attempts: number
        /** @default 100 ms, doubling, at most 10 s, full jitter */
        readonly backoff?: BackoffPolicy | undefined
      }
    | undefined
}

/** How a subscription handles what it gets. Its `signal` also ends it later: the same as `unsubscribe`. */
export interface SubscribeOptions extends WaitOptions {
  /** How many events are handled at once. More than 1 gives up order, unless `orderBy` keeps it per key. @default 1 */
  readonly concurrency?: number | undefined
  /** Events with the same key are handled one after the other, in order. */
  readonly orderBy?: ((event: Event) => string) | undefined
  /** What waits for the handler. @default 1,000 events, `block` */
  readonly queue?: QueueOptions | undefined
  /**
   * How many events may still wait when a transport that was asked to pause may go on: an integer ≥ 0, below the capacity of
   * the queue. Low: it goes on rarely, with much at once. @default half the capacity
   */
  readonly lowWaterMark?: number | undefined
  readonly errorPolicy?: ErrorPolicy | undefined
  /** See `FeedOptions`. @default the most that the transport promises */
  readonly delivery?: Delivery | undefined
  /** Milliseconds that one handling may take; then its signal aborts and the error policy applies. @default no limit */
  readonly handlerTimeoutMs?: number | undefined
  /**
   * How many handlers may run on after their time was up without holding a place. Above it a place stays
   * taken until its handler ends, so at most `concurrency + zombieLimit` handlers ever run. @default 10
   */
  readonly zombieLimit?: number | undefined
}

/** The figures of one subscription. */
export interface SubscriptionStats {
  readonly queue: QueueStats
  readonly handled: number
  readonly failed: number
  readonly retried: number
  readonly deadLettered: number
  /** Running now, without the zombies. */
  readonly active: number
  /** Handlers that run on after `handlerTimeoutMs` without holding a place. */
  readonly zombies: number
  /** Failures in a row; 0 after a success. */
  readonly consecutiveErrors: number
}

/** A live subscription. */
export interface Subscription extends AsyncDisposable {
  readonly id: string
  readonly patterns: readonly string[]
  /** Resolves when it ended; rejects when `errorPolicy: 'fail'` ended it. */
  readonly closed: Promise<void>
  readonly isPaused: boolean
  /** No further handler starts; events wait in the queue. */
  pause(): void
  resume(): void
  /** No handler starts after this call; resolves when the running ones have ended. Idempotent. */
  unsubscribe(): Promise<void>
  stats(): SubscriptionStats
}

/**
 * Publishes and subscribes. `Bus` is the implementation that `createBus` gives.
 *
 * `M` is what may be published, `H` what handlers get: they differ where a schema transforms the payload.
 */
export interface Subscriber<M extends EventMap = EventMap, H extends EventMap = M> {
  /** The event maps, for the compiler only: never there at run time. */
  readonly '~events'?: { readonly published: M; readonly handled: H } | undefined
  /** Publishes a new event of a type, or a whole event as it is. */
  publish<W extends Publishable<M>>(
    typeOrEvent: W,
    ...rest: PublishRest<M, W, PublishOptions>
  ): Promise<PublishReceipt>
  /** Fire and forget: no promise, never throws for a failed delivery. `false`: wait for `ready`. */
  emit<W extends Publishable<M>>(typeOrEvent: W, ...rest: PublishRest<M, W, EmitOptions>): boolean
  // `K` makes editors complete types and prefixes, and lets a wrapper that is generic in the type compile.
  /** Resolves when live: an event that another client publishes right after is received. */
  subscribe<P extends string, K extends PatternOf<H>>(
    pattern: K | OtherPattern<H, P>,
    handler: Handler<EventOf<H, P>>,
    options?: SubscribeOptions,
  ): Promise<Subscription>
  /** The same for everything. */
  subscribe<P extends '>'>(
    patterns: readonly [],
    handler: Handler<EventOf<H, P>>,
    options?: SubscribeOptions,
  ): Promise<Subscription>
  /** The same for several patterns; an event that several of them match is delivered once. */
  subscribe<P extends string, K extends PatternOf<H>>(
    patterns: readonly (K | OtherPattern<H, P>)[],
    handler: Handler<EventOf<H, P>>,
    options?: SubscribeOptions,
  ): Promise<Subscription>
  /** The same for what is only known at run time to be one pattern or several. */
  subscribe<P extends string>(
    patterns: RunTimePattern<P> | readonly RunTimePattern<P>[],
    handler: Handler<EventOf<H, P>>,
    options?: SubscribeOptions,
  ): Promise<Subscription>
  /** @throws `UnknownSubscriptionError` with the id when it names no live subscription. */
  unsubscribe(subscription: Subscription | string): Promise<void>
  /** The outbound queue. */
  backpressureStats(): QueueStats
}
