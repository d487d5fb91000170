/** An entry of an outbox: an encoded event that waits to be sent or is under way, and the promise of its publisher. */

import { setLongTimeout, type Clock } from '../contract/clock.ts'
import { AbortedError, TimeoutError, type BusError, type Outcome } from '../contract/errors.ts'
import type { Event } from '../contract/event.ts'
import type { PublishOptions, PublishReceipt } from '../contract/transport.ts'
import { AbortWatch } from './abort-watch.ts'
import type { BoundedQueue } from './bounded-queue.ts'

/** Settles once, whatever happens first: sent, given up, aborted, timed out. */
export class OutboxEntry {
  readonly event: Event
  /** The event as it goes out. */
  frame: string | Uint8Array
  /** Size of the frame that it was made with. */
  readonly bytes: number
  /** How often it was handed to the medium. */
  attempts = 0
  /** It is settled, and only waits for those before it to leave. */
  isDone = false
  /** What was reserved for it, cancelled when it settles; absent where there is no admission control. */
  permit: { cancel(): void } | undefined
  #resolve: ((receipt: PublishReceipt) => void) | undefined
  #reject: ((error: Error) => void) | undefined
  /** Ends what {@link PublishLimits} watches. */
  #endLimits: (() => void) | undefined
  /** Ends the wait for room. */
  #endWait: AbortController | undefined

  /** @param resolve - with `reject` settles the promise of its publisher; without them it was emitted */
  constructor(
    event: Event,
    frame: string | Uint8Array,
    resolve?: (receipt: PublishReceipt) => void,
    reject?: (error: Error) => void,
  ) {
    this.event = event
    this.frame = frame
    this.bytes = typeof frame === 'string' ? Buffer.byteLength(frame) : frame.byteLength
    this.#resolve = resolve
    this.#reject = reject
  }

  /** Whether its publish has a promise that is not settled yet. */
  get isAwaited(): boolean {
    return this.#reject !== undefined
  }

  /** What can be said of an event whose publish ends now without success. */
  get outcome(): Outcome {
    return this.attempts === 0 ? 'not-sent' : 'unknown'
  }

  /** The medium took it over, or the other side has confirmed it. */
  settle(status: PublishReceipt['status']): void {
    const resolve = this.#resolve
    this.#resolve = undefined
    this.#reject = undefined
    this.#endLimits?.()
    this.permit?.cancel()
    resolve?.({ id: this.event.id, status, attempts: this.attempts })
  }

  fail(error: Error): void {
    const reject = this.#reject
    this.#resolve = undefined
    this.#reject = undefined
    this.#endLimits?.()
    this.permit?.cancel()
    this.#endWait?.abort(error)
    reject?.(error)
  }

  /** Waits for room in a full queue, at most until it settles. Rejects as the queue's `push` does. */
  async waitFor(queue: BoundedQueue<this>): Promise<void> {
    this.#endWait = new AbortController()
    await queue.push(this, { signal: this.#endWait.signal })
    this.#endWait = undefined
  }

  /** Has this called, once, when it settles. */
  limitedBy(endLimits: () => void): void {
    this.#endLimits = () => {
      this.#endLimits = undefined
      endLimits()
    }
  }
}

/** The signals and time limits of the publishes of one outbox: one listener per signal, however many events it may end. */
export class PublishLimits<E extends OutboxEntry> {
  readonly #clock: Clock
  readonly #withdraw: (entry: E, error: BusError) => void
  readonly #signals: AbortWatch<E>

  /** @param withdraw - ends the publish with the error */
  constructor(clock: Clock, withdraw: (entry: E, error: BusError) => void) {
    this.#clock = clock
    this.#withdraw = withdraw
    this.#signals = new AbortWatch((entry, { reason: cause }) => {
      const { outcome } = entry
      withdraw(entry, new AbortedError(`Publishing ${entry.event.id}`, { cause, outcome }))
    })
  }

  /** Ends the publish when its signal aborts or its time is over; nothing is left of this once the entry has settled. */
  start(entry: E, { signal, timeoutMs = Infinity }: PublishOptions): void {
    if (signal === undefined && timeoutMs === Infinity) return
    if (signal !== undefined) this.#signals.add(signal, entry)
    const stopTimer = timeoutMs === Infinity ? undefined : this.#startTimer(entry, timeoutMs)
    entry.limitedBy(() => {
      stopTimer?.()
      if (signal !== undefined) this.#signals.delete(signal, entry)
    })
  }

  #startTimer(entry: E, timeoutMs: number): () => void {
    return setLongTimeout(this.#clock, timeoutMs, () => {
      const message = `Publishing ${entry.event.id} took longer than ${timeoutMs} ms`
      this.#withdraw(entry, new TimeoutError(message, { outcome: entry.outcome }))
    })
  }
}
