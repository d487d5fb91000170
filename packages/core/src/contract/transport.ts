/** The contract between the bus and whatever carries its events. */
import type { BusError, Outcome } from './errors.ts'
import type { Capabilities } from './capabilities.ts'
import type { Event } from './event.ts'
import type { TransportStatus } from './status.ts'
import type { QueueStats } from '../queue/queue-options.ts'

/** Accepted by everything that waits. */
export interface WaitOptions {
  /** Ends the wait; the call rejects with `AbortedError`, whose `cause` is the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** How long `connect` waits, and what ends the wait. */
export interface ConnectOptions extends WaitOptions {
  /** Keep waiting through failed attempts instead of rejecting with the first failure. @default false */
  readonly retry?: boolean | undefined
}

/** How long `publish` waits, and what ends the wait. */
export interface PublishOptions extends WaitOptions {
  /** Milliseconds after which the call rejects with `TimeoutError`. @default no limit */
  readonly timeoutMs?: number | undefined
  /**
   * `at-least-once`: resolves when the medium has taken the event over, and resends until then. `at-most-once`: resolves
   * when it was handed over. @default the most that the transport promises
   */
  readonly delivery?: Delivery | undefined
}

/** What `emit` promises of the event. */
export interface EmitOptions {
  /**
   * `at-least-once`: the event is sent again until the medium has taken it over. `at-most-once`: it leaves the queue when
   * it was handed over. @default the most that the transport promises
   */
  readonly delivery?: Delivery | undefined
}

/** How often an event can reach a handler when links break: at most once, or at least once. */
export type Delivery = 'at-most-once' | 'at-least-once'

/** What a transport gets for a subscription besides its patterns. */
export interface FeedOptions extends WaitOptions {
  /** `at-most-once`: settled when delivered; what a slow or absent reader misses is gone. @default the most that the transport promises */
  readonly delivery?: Delivery | undefined
}

/** What a publish that succeeded says. */
export interface PublishReceipt {
  readonly id: string
  /** `sent`: handed to the operating system's socket. `confirmed`: the medium has taken it over. */
  readonly status: 'sent' | 'confirmed'
  /** How often it was written: 1, or more when a link broke on the way. */
  readonly attempts: number
}

/**
 * Where a transport delivers the events of one subscription.
 *
 * A transport calls `deliver` for each matching event, in order, and not before `subscribe` has returned the feed.
 * `token` names this delivery: the sink gives it back to {@link Feed.settle} once the event is handled.
 */
export interface Sink {
  /** `true`: more, please. `false`: taken, but hold the next until {@link Feed.ready}. Never throws. */
  deliver(event: Event, token: number): boolean
}

/** The transport's end of one subscription. */
export interface Feed {
  /** Resolves when an event that another client publishes from now on is received. */
  readonly live: Promise<void>
  /** The sink has room again. */
  ready(): void
  /** The event of this token was handled or given to the dead letters. */
  settle(token: number): void
  /** After this call the sink gets nothing more; what it has may still be settled. Idempotent. */
  unsubscribe(): Promise<void>
}

/** How long `drain` waits for what was accepted. */
export interface DrainOptions extends WaitOptions {
  /** Milliseconds to wait for handlers and queues before giving up. @default 30_000 */
  readonly timeoutMs?: number | undefined
}

/** What a drain left behind. All empty: nothing was lost. */
export interface DrainReport {
  /** Ids of accepted events that were not sent (or not confirmed) in time. */
  readonly unsent: readonly string[]
  /** How many received events were not handled in time. */
  readonly unhandled: number
  /** Dead letters in the memory of this process, which end with it; absent where there are none. Only a bus has them. */
  readonly deadLetters?: number
}

/** What the other side gets to know when a transport closes. */
export interface CloseOptions {
  /** The reason sent to the other side. */
  readonly reason?: string | undefined
  /** Close code sent to the other side, where the transport has such a thing. */
  readonly code?: number | undefined
}

/** Whether `health` asks the other side or reports what is known. */
export interface HealthOptions extends WaitOptions {
  /** Ask the other side now instead of relying on what is known. */
  readonly probe?: boolean
  /** Milliseconds to wait for the answer to a probe. @default 5_000 */
  readonly timeoutMs?: number | undefined
}

/** How the transport is doing. `up` means that an event published now is expected to leave. */
export interface Health {
  readonly status: 'up' | 'degraded' | 'down'
  /** Why it is not `up`, as short sentences. */
  readonly reasons: readonly string[]
  /** Milliseconds since anything was received. */
  readonly lastInboundAgeMs?: number
  /** Milliseconds that the last probe took. */
  readonly rttMs?: number
  readonly breaker?: BreakerStateName
  readonly queue?: QueueStats
}

/** The words of the circuit-breaker pattern. */
export type BreakerStateName = 'closed' | 'open' | 'half-open'

/** Why an event was given up. */
export type UndeliverableReason =
  /** A full queue with a drop strategy. */
  | 'dropped'
  /** A frame that is not an event. */
  | 'undecodable'
  /** A publish that failed on every attempt. */
  | 'attempts-exhausted'
  /** A handler that failed. */
  | 'handler'
  /** Closed with the event still queued. */
  | 'closed'
  /** The other side refused it. */
  | 'rejected'

/** An event, or a frame that should have been one, that will not be delivered. */
export interface Undeliverable {
  readonly reason: UndeliverableReason
  /** Which way it was going. */
  readonly direction: 'outbound' | 'inbound'
  readonly error: Error
  readonly attempts: number
  /** The event, where there is one. */
  readonly event?: Event
  /** The frame as received, where it could not be decoded. */
  readonly raw?: string | Uint8Array
}

/** The events that a transport reports to its listeners. Listeners are guarded: one that throws changes nothing. */
export interface TransportEvents {
  /** The status changed. Reported after the change, in order. */
  status: { readonly status: TransportStatus; readonly previous: TransportStatus }
  /** Ready; `reconnected` from the second time on. */
  open: { readonly generation: number; readonly reconnected: boolean; readonly protocol: string }
  /** A link ended. */
  close: {
    readonly code: number
    readonly reason: string
    readonly wasClean: boolean
    readonly initiatedBy: 'local' | 'remote'
  }
  /** Something went wrong that no caller is waiting for. */
  error: { readonly kind: ErrorKind; readonly error: Error }
  /** An event or frame was given up. */
  undeliverable: Undeliverable
  /** The fill of a queue crossed its warning threshold (`high`) or fell below it again (`normal`). */
  backpressure: { readonly level: 'high' | 'normal'; readonly fillRatio: number }
  /** There is room again after `emit` answered `false`. */
  ready: undefined
  /** A rate limit made an event wait, or refused it. */
  'rate-limit': RateLimitNotice
  breaker: { readonly state: BreakerStateName; readonly previous: BreakerStateName }
  'heartbeat-timeout': { readonly silentMs: number; readonly missed: number }
  /** Events that matched were lost on the way to this client; reported before any later event. */
  gap: Gap
  'subscriptions-restored': { readonly patterns: readonly string[] }
  'subscriptions-failed': { readonly patterns: readonly string[]; readonly error: Error }
}

/** What a rate limit did to an event that was published. */
export interface RateLimitNotice {
  /** `queued`: it is sent as soon as it may be. `rejected`: its publish failed with `RateLimitError`. */
  readonly action: 'queued' | 'rejected'
  readonly event: Event
  /** Tokens; `NaN` where that could not be determined. */
  readonly cost: number
  /** Milliseconds after which it is expected to be sent, or could be published again; `Infinity`: never. */
  readonly retryAfterMs: number
}

/** A hole in what was received. */
export interface Gap {
  /** The first and the last position, in the medium's log, between which events are missing. */
  readonly from: number
  readonly to: number
  /** `epoch`: the medium started anew. `overrun`: away for longer than its log reaches back. `slow`: read too slowly. `size`: larger than what is taken. `undecodable`: a frame could not be read. */
  readonly reason: 'epoch' | 'overrun' | 'slow' | 'size' | 'undecodable'
  /** The patterns that were subscribed. */
  readonly patterns: readonly string[]
}

/** Where an `error` comes from. */
export type ErrorKind =
  | 'auth'
  | 'connection'
  | 'decode'
  | 'handler'
  | 'listener'
  | 'emit'
  | 'subscription'
  | 'dead-letter'
  | 'rate-limit'
  | 'recording'

/** Stops listening. Also works with `using`. */
export interface Unsubscribe extends Disposable {
  (): void
}

/** When a listener is removed by itself. */
export interface ListenOptions {
  readonly signal?: AbortSignal | undefined
  /** Stop after the first. */
  readonly once?: boolean
}

/** Typed listening, the same on transport and bus. */
export interface Listenable<E> {
  on<K extends keyof E>(
    name: K,
    listener: (notice: E[K]) => void,
    options?: ListenOptions,
  ): Unsubscribe
}

/**
 * Carries events between buses. One instance serves one bus for life: the links underneath come and go.
 *
 * - `publish` settles exactly once. It resolves with what is then true of the event, or rejects with an
 *   error whose `outcome` says what became of it. It may wait: for a link, for room, for a confirmation.
 * - `publish` fixes the event's bytes before it returns control: later changes of the payload are not sent.
 * - An event that was made by hand and has no valid type or id is refused with a `ConfigError`: see `checkedEvent`.
 * - Events of one publisher reach each sink in the order published, if `ordering` says so.
 * - Every sink gets every match once, whatever the other sinks do, with a payload of its own.
 * - After `close` no sink and no listener is called, except for the closing `status`; waiting calls reject.
 *   `close` is idempotent, works in every state, and leaves no timer, socket or listener.
 */
export interface Transport extends Listenable<TransportEvents>, AsyncDisposable {
  /** A short name, the same for all instances: `memory`, `websocket`. */
  readonly name: string
  /** Frozen; survives a JSON round trip. */
  readonly capabilities: Capabilities
  readonly status: TransportStatus
  /**
   * Resolves when ready; rejects when the attempt under way fails. A transport that reconnects goes on trying
   * all the same, until `close`. Not required: `publish`, `emit` and `subscribe` start the link themselves.
   */
  connect(options?: ConnectOptions): Promise<void>
  publish(event: Event, options?: PublishOptions): Promise<PublishReceipt>
  /**
   * Takes the event without a promise. `false` asks to wait for `ready` before the next: there is no room for another, or
   * there was none for this one. An event that could not be taken is reported by `undeliverable`. Never throws.
   */
  emit(event: Event, options?: EmitOptions): boolean
  /** Starts delivering matches to the sink. No patterns: everything. */
  subscribe(patterns: readonly string[], sink: Sink, options?: FeedOptions): Feed
  /** The outbound queue. */
  backpressureStats(): QueueStats
  health(options?: HealthOptions): Promise<Health>
  /** Takes nothing new, sends what was accepted, then closes. */
  drain(options?: DrainOptions): Promise<DrainReport>
  close(options?: CloseOptions): Promise<void>
}

/** The outcome of an error, to decide by whether to publish again. */
export function outcomeOf(error: unknown): Outcome {
  const outcome = (error as Partial<BusError> | null | undefined)?.outcome
  return outcome ?? 'unknown'
}
