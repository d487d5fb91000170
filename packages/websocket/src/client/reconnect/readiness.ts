/** Readiness: who waits for the connection, and what ends the wait. */
import { AbortedError, type ConnectOptions } from '@bus/core'

interface Waiter {
  /** Failed attempts do not end this wait. */
  readonly retry: boolean
  settle(error: Error | undefined): void
}

/** The callers of `connect`. */
export class Readiness {
  readonly #waiters = new Set<Waiter>()
  #endedBy: Error | undefined

  /** Resolves at the next {@link ready}; rejects by the signal, by the end, and without `retry` by a failed attempt. */
  wait(options: ConnectOptions): Promise<void> {
    const { signal, retry = false } = options
    if (signal?.aborted === true) {
      return Promise.reject(new AbortedError('Connecting', { cause: signal.reason }))
    }
    if (this.#endedBy !== undefined) return Promise.reject(this.#endedBy)
    return new Promise((resolve, reject) => {
      const onAbort = (): void =>
        waiter.settle(new AbortedError('Connecting', { cause: signal?.reason }))
      const waiter: Waiter = {
        retry,
        settle: (error) => {
          this.#waiters.delete(waiter)
          signal?.removeEventListener('abort', onAbort)
          if (error === undefined) resolve()
          else reject(error)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiters.add(waiter)
    })
  }

  ready(): void {
    for (const waiter of this.#waiters) waiter.settle(undefined)
  }

  attemptFailed(error: Error): void {
    for (const waiter of this.#waiters) if (!waiter.retry) waiter.settle(error)
  }

  /** Whoever waits now has waited in vain. */
  refuse(error: Error): void {
    for (const waiter of this.#waiters) waiter.settle(error)
  }

  /** For good: whoever waits from now on is rejected as well. */
  ended(error: Error): void {
    this.#endedBy = error
    for (const waiter of this.#waiters) waiter.settle(error)
  }
}
