/** The line of callers that wait for room, first come first served. */

import { systemClock, type Clock, type Timer } from '../contract/clock.ts'
import {
  AbortedError,
  ConfigError,
  TimeoutError,
  ClosedError,
  DroppedError,
  QueueFullError,
  TooLargeError,
  type BusError,
} from '../contract/errors.ts'
import { AbortWatch } from './abort-watch.ts'
import type { OfferResult } from './bounded-queue.ts'

/** How long a caller is willing to stand in the line. */
export interface WaitLimits {
  readonly signal?: AbortSignal
  /** Milliseconds. @default no limit */
  readonly timeoutMs?: number
}

interface Waiter<E> {
  readonly entry: E
  readonly signal: AbortSignal | undefined
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  timer: Timer | undefined
  previous: Waiter<E> | undefined
  next: Waiter<E> | undefined
}

/**
 * A doubly linked list: joining, admitting the first and giving up a place in the middle are all O(1).
 * A place that was given up leaves nothing behind, neither listener nor timer.
 */
export class WaitLine<E> {
  readonly #clock: Clock
  readonly #onGiveUp: () => void
  readonly #signals: AbortWatch<Waiter<E>> = new AbortWatch((waiter, signal) =>
    this.#giveUp(waiter, aborted(signal)),
  )
  #head: Waiter<E> | undefined
  #tail: Waiter<E> | undefined
  #length = 0

  /** @param onGiveUp - told after a caller left the line by its own will */
  constructor(onGiveUp: () => void, clock: Clock = systemClock) {
    this.#onGiveUp = onGiveUp
    this.#clock = clock
  }

  get length(): number {
    return this.#length
  }

  /** The entry whose turn it is. */
  peek(): E | undefined {
    return this.#head?.entry
  }

  /** Waits at the end of the line. Rejects with `AbortedError`, `TimeoutError` or the error of {@link rejectAll}. */
  join(entry: E, { signal, timeoutMs = Infinity }: WaitLimits): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter<E> = {
        entry,
        signal,
        resolve,
        reject,
        timer: undefined,
        previous: this.#tail,
        next: undefined,
      }
      if (this.#tail === undefined) this.#head = waiter
      else this.#tail.next = waiter
      this.#tail = waiter
      this.#length++
      if (signal !== undefined) this.#signals.add(signal, waiter)
      if (timeoutMs === Infinity) return
      const onTimeout = (): void => this.#giveUp(waiter, timedOut(timeoutMs))
      waiter.timer = this.#clock.setTimeout(onTimeout, timeoutMs)
    })
  }

  /** The first in the line leaves it with success. */
  admit(): void {
    const waiter = this.#head
    if (waiter === undefined) return
    this.#unlink(waiter)
    waiter.resolve()
  }

  /** Everybody leaves with this error. Returns how many. */
  rejectAll(error: Error): number {
    const count = this.#length
    while (this.#head !== undefined) {
      const waiter = this.#head
      this.#unlink(waiter)
      waiter.reject(error)
    }
    return count
  }

  #giveUp(waiter: Waiter<E>, error: Error): void {
    this.#unlink(waiter)
    waiter.reject(error)
    this.#onGiveUp()
  }

  #unlink(waiter: Waiter<E>): void {
    if (waiter.signal !== undefined) this.#signals.delete(waiter.signal, waiter)
    if (waiter.timer !== undefined) this.#clock.clearTimeout(waiter.timer)
    if (waiter.previous === undefined) this.#head = waiter.next
    else waiter.previous.next = waiter.next
    if (waiter.next === undefined) this.#tail = waiter.previous
    else waiter.next.previous = waiter.previous
    this.#length--
  }
}

/** @throws `ConfigError` for a time-out that is not a number of milliseconds. */
export function assertWaitLimits({ timeoutMs }: WaitLimits): void {
  if (timeoutMs === undefined || (typeof timeoutMs === 'number' && timeoutMs >= 0)) return
  throw ConfigError.expected('timeoutMs', 'to be a number of milliseconds ≥ 0', timeoutMs)
}

/** The error of a wait that its caller's signal ended. The item never entered the queue. */
export function aborted(signal: AbortSignal): AbortedError {
  return new AbortedError('The wait for room in the queue', {
    cause: signal.reason,
    outcome: 'not-sent',
  })
}

function timedOut(timeoutMs: number): TimeoutError {
  return new TimeoutError(`There was no room in the queue within ${timeoutMs} ms`, {
    outcome: 'not-sent',
  })
}

/** The answers to an offer after which the item is not in the queue and will not be. */
export type Refusal = Exclude<OfferResult, 'accepted' | 'full'>

/** The error that stands for a refusal, with outcome `not-sent`. */
export function refusalError(refusal: Refusal, bytes: number, maxBytes: number): BusError {
  if (refusal === 'too-large') return new TooLargeError('The item', bytes, maxBytes)
  const { error, message } = REFUSALS[refusal]
  return new error(message, { outcome: 'not-sent' })
}

const REFUSALS = Object.freeze({
  dropped: { error: DroppedError, message: 'The queue is full and gave the item up' },
  rejected: { error: QueueFullError, message: 'The queue is full' },
  closed: { error: ClosedError, message: 'The queue is closed' },
})
