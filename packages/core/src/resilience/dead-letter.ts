/** The contract of a queue of dead letters: what was given up, kept with its reason until it is redriven, consumed or removed. */
import type { Event } from '../contract/event.ts'
import type {
  Listenable,
  PublishOptions,
  Undeliverable,
  UndeliverableReason,
  WaitOptions,
} from '../contract/transport.ts'
import type { BackoffPolicy } from './backoff.ts'

/** An event, or a frame that should have been one, that was given up. Frozen. */
export interface DeadLetter {
  /** Of the letter, not of the event: one event can be given up twice. Sorts by time. */
  readonly id: string
  /** The event as it was, where there is one. */
  readonly event?: Event
  /** The frame as received, where it could not be decoded. */
  readonly raw?: string | Uint8Array
  readonly reason: UndeliverableReason
  readonly direction: 'inbound' | 'outbound'
  /** Why it was given up; consuming does not change it. */
  readonly error: { readonly name: string; readonly message: string; readonly code?: string }
  /** How often it was tried, here and before. */
  readonly attempts: number
  /** Wall clock, milliseconds since 1970-01-01 UTC. */
  readonly failedAt: number
  /** Who gave it up: a transport or a subscription. */
  readonly source: string
  /** A consumer tried as often as it may; only `redrive` and `remove` touch it now. */
  readonly parked: boolean
}

/** The events of the queue. */
export interface DeadLetterEvents {
  added: DeadLetter
  /** Lost: it made room for a newer one. */
  evicted: DeadLetter
  /** Lost: it was never stored, because the queue is full, closed, or smaller than this letter. */
  refused: { readonly undeliverable: Undeliverable; readonly source: string }
  /** Consuming or redriving it failed; it is still there. */
  failed: { readonly letter: DeadLetter; readonly error: unknown }
  parked: DeadLetter
  /** A listener or the `redact` hook failed. */
  error: { readonly kind: 'listener' | 'redact'; readonly error: unknown }
}

/** The figures of the queue. They add up: `added = size + evicted + removed`. */
export interface DeadLetterStats {
  readonly size: number
  /** What the letters are taken to occupy. */
  readonly bytes: number
  readonly capacity: number
  readonly maxBytes: number
  readonly parked: number
  readonly added: number
  readonly evicted: number
  /** Never stored. */
  readonly refused: number
  /** Consumed, redriven, removed by hand, or handed out by `close`. */
  readonly removed: number
}

/** Handles one dead letter; success removes it. The signal aborts when the time for it is over. */
export type DeadLetterHandler = (
  letter: DeadLetter,
  context: { readonly signal: AbortSignal },
) => void | Promise<void>

/** How dead letters are worked through. */
export interface ConsumeOptions {
  /** How long to wait after a failure, counted in a row. @default 100 ms, doubling, at most 30 s, full jitter */
  readonly backoff?: BackoffPolicy
  /** Tries of one letter before it is parked, an integer ≥ 1. @default 5 */
  readonly maxAttempts?: number
  /** Letters handled at once; more than 1 gives up order. @default 1 */
  readonly concurrency?: number
  /** Milliseconds that one handling may take. @default 30_000 */
  readonly handlerTimeoutMs?: number
  /** Aborting it is `stop()`. */
  readonly signal?: AbortSignal
}

/** Works through the dead letters until it is stopped. */
export interface DeadLetterConsumer extends AsyncDisposable {
  readonly isStopped: boolean
  /**
   * No further letter is begun. Resolves when those in hand have ended; a letter whose handler does not succeed
   * stays. Idempotent.
   */
  stop(options?: WaitOptions): Promise<void>
}

/** Which dead letters are published again, and what ends it. */
export interface RedriveOptions extends WaitOptions {
  /** Which letters to publish again. @default all that hold an event */
  readonly filter?: (letter: DeadLetter) => boolean
}

/** Where redriven events go: a bus or a transport. */
export interface RedriveTarget {
  publish(event: Event, options?: PublishOptions): Promise<unknown>
}

/** What a redrive did. */
export interface RedriveReport {
  /** Published and removed. */
  readonly redriven: number
  /** Could not be published; still there. */
  readonly failed: number
  /** Without an event, left out by the filter, or being handled by a consumer. */
  readonly skipped: number
}

/** Keeps dead letters, oldest first. */
export interface DeadLetterQueue extends Iterable<DeadLetter>, Listenable<DeadLetterEvents> {
  readonly size: number
  /** Stores what was given up; `undefined` where it could not be stored. Never throws. */
  add(undeliverable: Undeliverable, source: string): DeadLetter | undefined
  get(id: string): DeadLetter | undefined
  list(): readonly DeadLetter[]
  /** The oldest. */
  peek(): DeadLetter | undefined
  remove(id: string): boolean
  /** Removes all and says how many. */
  clear(): number
  /** Publishes the letters' events again, one after the other, oldest first; what succeeds is removed. */
  redrive(target: RedriveTarget, options?: RedriveOptions): Promise<RedriveReport>
  /** Hands each letter to the handler, oldest first, also those that arrive later. */
  consume(handler: DeadLetterHandler, options?: ConsumeOptions): DeadLetterConsumer
  stats(): DeadLetterStats
  /** Stops every consumer, takes nothing more, and hands out what is left. Idempotent. */
  close(): readonly DeadLetter[]
}
