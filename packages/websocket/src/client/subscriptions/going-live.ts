/** Going live: subscriptions that the server does not have yet, each with the promise of whoever asked for it. */
import { AbortedError } from '@bus/core'
import type { RegistryEntry } from './registry.ts'

interface Waiter {
  resolve(): void
  reject(error: Error): void
}

/** Every wait ends once, and leaves no listener on its signal. */
export class GoingLive {
  readonly #waiters = new Map<RegistryEntry, Waiter>()

  /** In the order in which they were asked for. */
  entries(): Iterable<RegistryEntry> {
    return this.#waiters.keys()
  }

  has(entry: RegistryEntry): boolean {
    return this.#waiters.has(entry)
  }

  /** Resolves with {@link done}. @param aborted - called when the signal has ended the wait */
  wait(entry: RegistryEntry, signal: AbortSignal | undefined, aborted: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        waiter.reject(new AbortedError('Subscribing', { cause: signal?.reason }))
        aborted()
      }
      const end = (): void => {
        signal?.removeEventListener('abort', onAbort)
        if (this.#waiters.get(entry) === waiter) this.#waiters.delete(entry)
      }
      const waiter: Waiter = {
        resolve: () => {
          end()
          resolve()
        },
        reject: (error) => {
          end()
          reject(error)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiters.set(entry, waiter)
    })
  }

  /** It is live. */
  done(entry: RegistryEntry): void {
    this.#waiters.get(entry)?.resolve()
  }

  fail(entry: RegistryEntry, error: Error): void {
    this.#waiters.get(entry)?.reject(error)
  }

  failAll(error: Error): void {
    for (const waiter of this.#waiters.values()) waiter.reject(error)
  }
}
