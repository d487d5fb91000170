/** The handling scope: whether the current code was called from inside a handler, and from which. */

import { AsyncLocalStorage } from 'node:async_hooks'
import type { Subscription } from '../contract/subscriber.ts'
import type { Clock, Random } from '../contract/clock.ts'
import type { ErrorKind, Undeliverable } from '../contract/transport.ts'
import type { Telemetry } from '../observe/telemetry.ts'

/** One handler that runs. */
export interface Handling {
  readonly subscription: Subscription
  /** False once the handler ended: what it left behind (timers, floating promises) is no longer inside it. */
  live: boolean
}

/** A handler that is followed, and the one of another bus inside of which it was called. */
interface Followed {
  readonly scope: HandlingScope
  readonly handling: Handling
  readonly outer: Followed | undefined
}

/** Handlers of all buses are followed by one storage: Node before 24 asks each storage at each promise of the process. */
class Followers {
  readonly #storage = new AsyncLocalStorage<Followed>()
  /** Scopes that follow handlers. */
  #scopes = 0

  get innermost(): Followed | undefined {
    return this.#scopes > 0 ? this.#storage.getStore() : undefined
  }

  add(): void {
    this.#scopes++
  }

  remove(): void {
    this.#scopes--
    if (this.#scopes === 0) this.#storage.disable()
  }

  run<T>(followed: Followed, run: () => T): T {
    return this.#storage.run(followed, run)
  }
}

/** Which code called which is a fact of the process, so that its buses cannot each have their own. */
const FOLLOWERS = new Followers()

/**
 * Of one bus. Following a handler over its awaits slows down every promise of the process, so it ends when no handler
 * needs it any more; one that returns at once is only remembered while it is on the stack.
 */
export class HandlingScope {
  #onStack: Handling | undefined
  /** Subscriptions whose handlers are followed. */
  #followed = 0

  /** The handler that the current code runs inside of. */
  get current(): Handling | undefined {
    return this.#onStack ?? (this.#followed > 0 ? this.#innermost() : undefined)
  }

  /** The same, of whatever bus the handler is. */
  get currentOfAny(): Handling | undefined {
    return this.#onStack ?? FOLLOWERS.innermost?.handling
  }

  /** The handlers of one more subscription are followed from now on. */
  follow(): void {
    if (this.#followed++ === 0) FOLLOWERS.add()
  }

  /** Those of one less. */
  unfollow(): void {
    if (--this.#followed === 0) FOLLOWERS.remove()
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
    const outer = around(this, FOLLOWERS.innermost)
    return FOLLOWERS.run({ scope: this, handling, outer }, () => this.runSync(handling, run))
  }

  #innermost(): Handling | undefined {
    let followed = FOLLOWERS.innermost
    while (followed !== undefined && followed.scope !== this) followed = followed.outer
    return followed?.handling
  }
}

/** The handlers of other buses that still run: two buses that answer each other for ever must not make a chain. */
function around(scope: HandlingScope, followed: Followed | undefined): Followed | undefined {
  if (followed === undefined) return undefined
  const outer = around(scope, followed.outer)
  if (followed.scope === scope || !followed.handling.live) return outer
  return outer === followed.outer ? followed : { ...followed, outer }
}

/** The narrow port through which a subscription speaks to its bus. None of its methods throws. */
export interface SubscriptionHost {
  readonly clock: Clock
  readonly random: Random
  /** The handler in whose asynchronous context the current code runs. */
  readonly scope: HandlingScope
  readonly hasDeadLetters: boolean
  /** Where handling is told. @default the channels under the prefix `bus` */
  readonly telemetry?: Telemetry
  /** Gives an event up. `false`: the dead letters refused it, so it is still unprocessed. */
  giveUp(undeliverable: Undeliverable): boolean
  /** Tells that an event was given up, and stores it nowhere. */
  announce(undeliverable: Undeliverable): void
  /** Stores an event that was announced before. `false`: the dead letters refused it again. */
  store(undeliverable: Undeliverable): boolean
  report(kind: ErrorKind, error: Error): void
  pressure(subscription: Subscription, level: 'high' | 'normal', fillRatio: number): void
  ended(subscription: Subscription): void
}
