/** The waiting line: publishes that wait until a transport is ready, first come first served. */
import { AbortedError, QueueFullError, TimeoutError, type BusError, type Clock } from '@bus/core'
import { setLongTimeout } from '@bus/core/kit'

/** What ends a wait that nothing else ends. */
export interface WaitLimit {
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs: number
}

interface Waiter {
  settle(error: BusError | undefined): void
}

/** Bounded. */
export class WaitingLine {
  readonly #limit: number
  readonly #clock: Clock
  readonly #waiters = new Set<Waiter>()

  constructor(limit: number, clock: Clock) {
    this.#limit = limit
    this.#clock = clock
  }

  /** Resolves at the next {@link open}; all errors say `not-sent`. */
  wait({ signal, timeoutMs }: WaitLimit): Promise<void> {
    const outcome = 'not-sent'
    if (this.#waiters.size >= this.#limit) {
      const message = `${this.#limit} publishes wait for a connection already`
      return Promise.reject(new QueueFullError(message, { outcome }))
    }
    if (signal?.aborted === true) {
      return Promise.reject(new AbortedError('Publishing', { cause: signal.reason, outcome }))
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void =>
        waiter.settle(new AbortedError('Publishing', { cause: signal?.reason, outcome }))
      const stop =
        timeoutMs === Infinity
          ? undefined
          : setLongTimeout(this.#clock, timeoutMs, () => {
              const message = `No connection became ready within ${timeoutMs} ms`
              waiter.settle(new TimeoutError(message, { outcome }))
            })
      const waiter: Waiter = {
        settle: (error) => {
          this.#waiters.delete(waiter)
          stop?.()
          signal?.removeEventListener('abort', onAbort)
          if (error === undefined) resolve()
          else reject(error)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiters.add(waiter)
    })
  }

  /** There is one: everybody may try. */
  open(): void {
    for (const waiter of this.#waiters) waiter.settle(undefined)
  }

  /** There will be none. */
  refuse(error: BusError): void {
    for (const waiter of this.#waiters) waiter.settle(error)
  }
}
