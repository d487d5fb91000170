/** Typed notices to guarded listeners: a listener that fails is reported and changes nothing. */
import type { ListenOptions, Listenable, Unsubscribe } from '../contract/transport.ts'
import { AbortWatch } from '../queue/abort-watch.ts'

interface Registration {
  call(notice: never): unknown
  stop(): void
}

/** A small typed emitter. Not on the event path: for status, errors, drops. */
export class Emitter<E extends object> implements Listenable<E> {
  readonly #registrations = new Map<keyof E, Set<Registration>>()
  readonly #onListenerError: (error: unknown, name: keyof E) => void
  readonly #signals = new AbortWatch<Registration>((registration) => registration.stop())

  /** @param onListenerError - gets what a listener threw or rejected with; must not throw itself */
  constructor(onListenerError: (error: unknown, name: keyof E) => void) {
    this.#onListenerError = onListenerError
  }

  on<K extends keyof E>(
    name: K,
    listener: (notice: E[K]) => void,
    options: ListenOptions = {},
  ): Unsubscribe {
    const { signal, once = false } = options
    const stop = (): void => {
      this.#registrations.get(name)?.delete(registration)
      if (signal !== undefined) this.#signals.delete(signal, registration)
    }
    const registration: Registration = {
      call: (notice) => {
        if (once) stop()
        return listener(notice)
      },
      stop,
    }
    if (signal?.aborted !== true) {
      let set = this.#registrations.get(name)
      if (set === undefined) this.#registrations.set(name, (set = new Set()))
      set.add(registration)
      if (signal !== undefined) this.#signals.add(signal, registration)
    }
    return Object.assign(stop, { [Symbol.dispose]: stop })
  }

  /** Whether there is a listener. */
  has(name: keyof E): boolean {
    return (this.#registrations.get(name)?.size ?? 0) > 0
  }

  /** Calls the listeners there are now, in the order in which they were added; one that is removed meanwhile is left out. */
  emit<K extends keyof E>(name: K, notice: E[K]): void {
    const set = this.#registrations.get(name)
    if (set === undefined || set.size === 0) return
    // A snapshot: a listener that is added by a listener gets the next notice, not this one.
    for (const registration of Array.from(set)) {
      if (set.has(registration)) this.#call(registration, name, notice)
    }
  }

  /** Removes every listener. */
  clear(): void {
    const all = [...this.#registrations.values()].flatMap((set) => [...set])
    for (const registration of all) registration.stop()
  }

  #call<K extends keyof E>(registration: Registration, name: K, notice: E[K]): void {
    try {
      const result = (registration.call as (notice: E[K]) => unknown)(notice)
      // An async listener fits the type as well; its failure must not end the process.
      if (result instanceof Promise) {
        result.catch((error: unknown) => this.#onListenerError(error, name))
      }
    } catch (error) {
      this.#onListenerError(error, name)
    }
  }
}
