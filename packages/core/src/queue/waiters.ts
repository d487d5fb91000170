/** Callers that wait, first come first served, until they are admitted, give up or are rejected. */

import { setLongTimeout, systemClock, type Clock } from '../contract/clock.ts'
import { AbortedError, TimeoutError } from '../contract/errors.ts'
import { AbortWatch } from './abort-watch.ts'

/** What ends a wait early. */
export interface WaitLimits {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds. @default no limit */
  readonly timeoutMs?: number | undefined
}

/** How waits are measured and what their errors say. */
export interface WaitersOptions {
  /** Names the wait in the message of its `AbortedError`: "The wait for room in the queue". */
  readonly what: string
  /** Completes "… within 50 ms" in the message of its `TimeoutError`: "There was no room in the queue". */
  readonly timedOut: string
  /** Called after a caller gave up, by its signal or its time limit. */
  readonly onGiveUp?: () => void
  /** @default the clock of the machine */
  readonly clock?: Clock | undefined
}

interface Waiter<T> {
  readonly value: T
  readonly signal: AbortSignal | undefined
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  stopTimer: (() => void) | undefined
  previous: Waiter<T> | undefined
  next: Waiter<T> | undefined
}

/**
 * A doubly linked list: joining, admitting the first and giving up in the middle are all O(1). A wait that ended
 * leaves neither listener nor timer behind, and waits that share a signal share a listener.
 */
export class Waiters<T> {
  readonly #options: WaitersOptions
  readonly #signals: AbortWatch<Waiter<T>> = new AbortWatch((waiter, signal) =>
    this.#giveUp(waiter, this.#aborted(signal)),
  )
  #head: Waiter<T> | undefined
  #tail: Waiter<T> | undefined
  #size = 0

  constructor(options: WaitersOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#size
  }

  /** What the first in the line waits with. */
  get first(): T | undefined {
    return this.#head?.value
  }

  /** Waits at the end of the line. Rejects with `AbortedError`, `TimeoutError` or the error of {@link rejectAll}. */
  join(value: T, { signal, timeoutMs = Infinity }: WaitLimits = {}): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(this.#aborted(signal))
    return new Promise((resolve, reject) => {
      const waiter: Waiter<T> = {
        value,
        signal,
        resolve,
        reject,
        stopTimer: undefined,
        previous: this.#tail,
        next: undefined,
      }
      if (this.#tail === undefined) this.#head = waiter
      else this.#tail.next = waiter
      this.#tail = waiter
      this.#size++
      if (signal !== undefined) this.#signals.add(signal, waiter)
      if (timeoutMs === Infinity) return
      waiter.stopTimer = setLongTimeout(this.#options.clock ?? systemClock, timeoutMs, () => {
        const message = `${this.#options.timedOut} within ${timeoutMs} ms`
        this.#giveUp(waiter, new TimeoutError(message, { outcome: 'not-sent' }))
      })
    })
  }

  /** The first in the line leaves it with success. */
  admit(): void {
    const waiter = this.#head
    if (waiter === undefined) return
    this.#unlink(waiter)
    waiter.resolve()
  }

  /** Every waiter leaves with success. */
  admitAll(): void {
    while (this.#head !== undefined) this.admit()
  }

  /** Every waiter leaves with this error. Returns how many. */
  rejectAll(error: Error): number {
    const count = this.#size
    while (this.#head !== undefined) {
      const waiter = this.#head
      this.#unlink(waiter)
      waiter.reject(error)
    }
    return count
  }

  /** The error of a wait that its caller's signal ended. */
  #aborted({ reason }: AbortSignal): AbortedError {
    return new AbortedError(this.#options.what, { cause: reason, outcome: 'not-sent' })
  }

  #giveUp(waiter: Waiter<T>, error: Error): void {
    this.#unlink(waiter)
    waiter.reject(error)
    this.#options.onGiveUp?.()
  }

  #unlink(waiter: Waiter<T>): void {
    if (waiter.signal !== undefined) this.#signals.delete(waiter.signal, waiter)
    waiter.stopTimer?.()
    if (waiter.previous === undefined) this.#head = waiter.next
    else waiter.previous.next = waiter.next
    if (waiter.next === undefined) this.#tail = waiter.previous
    else waiter.next.previous = waiter.previous
    this.#size--
  }
}
