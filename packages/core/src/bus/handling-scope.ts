/** The handling scope: whether the current code was called from inside a handler, and from which. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Subscription } from '../contract/subscriber.ts'

/** One handler that runs. */
export interface Handling {
  readonly subscription: Subscription
  /** False once the handler ended: what it left behind (timers, floating promises) is no longer inside it. */
  live: boolean
}

/**
 * Of one bus. Following a handler over its awaits slows down every promise of the process, so it ends when no handler
 * needs it any more; one that returns at once is only remembered while it is on the stack.
 */
export class HandlingScope {
  readonly #storage = new AsyncLocalStorage<Handling>()
  #onStack: Handling | undefined
  /** Subscriptions whose handlers are followed. */
  #followed = 0

  /** The handler that the current code runs inside of. */
  get current(): Handling | undefined {
    return this.#onStack ?? (this.#followed > 0 ? this.#storage.getStore() : undefined)
  }

  /** The handlers of one more subscription are followed from now on. */
  follow(): void {
    this.#followed++
  }

  /** Those of one less. */
  unfollow(): void {
    this.#followed--
    if (this.#followed === 0) this.#storage.disable()
  }

  /** Runs a handler that is expected to return at once. */
  runSync<T>(handling: Handling, run: () => T): T {
    const outer = this.#onStack
    this.#onStack = handling
    try {
      return run()
    } finally {
      this.#onStack = outer
    }
  }

  /** Runs a handler, and follows it over its awaits. */
  runFollowed<T>(handling: Handling, run: () => T): T {
    return this.#storage.run(handling, () => this.runSync(handling, run))
  }
}
