/** Runs a handler once for one event: its context, its deadline, and which code runs inside a handler. */

import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import type { Clock, Random } from '../contract/clock.ts'
import { TimeoutError, asError } from '../contract/errors.ts'
import type { Event } from '../contract/event.ts'
import type { Handler, HandlerContext, Subscription } from '../contract/subscriber.ts'
import type { ErrorKind, Undeliverable } from '../contract/transport.ts'
import {
  telemetry,
  type Operation,
  type Telemetry,
  type TelemetryOperations,
} from '../observe/telemetry.ts'
import { onAbort } from '../queue/abort-watch.ts'
import type { BusEvents } from './notices.ts'

/** One handler that runs. */
export interface Handling {
  readonly subscription: Subscription
  /** False once the handler ended: what it left behind (timers, floating promises) is no longer inside it. */
  live: boolean
}

/** The narrow port through which a subscription speaks to its bus. None of its methods throws. */
export interface SubscriptionHost {
  readonly clock: Clock
  readonly random: Random
  /** The handler in whose asynchronous context the current code runs. */
  readonly scope: HandlingScope
  readonly hasDeadLetters: boolean
  /** Where handling is traced. @default the channels under the prefix `bus` */
  readonly telemetry?: Telemetry
  /** Gives an event up. `false`: the dead letters refused it, so it is still unprocessed. */
  giveUp(undeliverable: Undeliverable): boolean
  /** Announces that an event was given up, and stores it nowhere. */
  announce(undeliverable: Undeliverable): void
  /** Stores an event that was announced before. `false`: the dead letters refused it again. */
  store(undeliverable: Undeliverable): boolean
  report(kind: ErrorKind, error: Error): void
  pressure(subscription: Subscription, level: 'high' | 'normal', fillRatio: number): void
  /** An attempt failed, and another one follows. */
  retrying(subscription: Subscription, retry: Omit<BusEvents['retry'], 'id'>): void
  ended(subscription: Subscription): void
}

/** A handler and how it is run. */
export interface HandlerRunnerOptions {
  readonly handler: Handler
  readonly subscription: Subscription
  readonly host: SubscriptionHost
  readonly timeoutMs: number | undefined
  readonly zombieLimit: number
}

/** Calls after which a handler that returned at once every time is no longer followed. */
const SYNC_CALLS = 64

/**
 * A synchronous handler costs no promise, no closure and no context of its own: without a deadline the first
 * attempt of every event gets the same context.
 *
 * A handler that outlives its deadline cannot be stopped. It becomes a zombie: the next event is handled, so that
 * one that never ends does not end the subscription, until there are `zombieLimit` of them; then they count as running.
 */
export class HandlerRunner {
  readonly #options: HandlerRunnerOptions
  readonly #operation: Operation<TelemetryOperations['bus.deliver']>
  readonly #abort = new AbortController()
  readonly #firstContext: HandlerContext
  #zombies = 0
  /** Whether the handler is followed over its awaits, as long as it is not known to return at once. */
  #isFollowed = true
  /** Calls in a row that returned at once. */
  #syncCalls = 0
  /** Calls under way that are not followed. */
  #unfollowed = 0
  readonly #onStack: Handling
  /**
   * The asynchronous context in which the subscription was made. Whatever delivers an event (a socket that some request
   * opened, a publisher) has another one, with a tenant or a trace that is none of this handler's.
   */
  readonly #context = new AsyncResource('bus.subscription')

  constructor(options: HandlerRunnerOptions) {
    this.#options = options
    this.#operation = (options.host.telemetry ?? telemetry).operation('bus.deliver')
    this.#onStack = { subscription: options.subscription, live: false }
    options.host.scope.follow()
    this.#firstContext = this.#contextOf(1, this.#abort.signal)
  }

  get zombies(): number {
    return this.#zombies
  }

  /** Whether the current code runs inside a handler of this subscription. */
  get isInside(): boolean {
    const handling = this.#options.host.scope.current
    if (handling?.live === true && handling.subscription === this.#options.subscription) return true
    // A call of a handler that was taken for one that returns at once: the caller may be that handler.
    return this.#unfollowed > 0
  }

  /** Aborts the context of every handler that runs. */
  abort(reason: Error): void {
    this.#abort.abort(reason)
  }

  /** No handler runs, and none will. */
  end(): void {
    if (!this.#isFollowed) return
    this.#isFollowed = false
    this.#options.host.scope.unfollow()
  }

  /** Throws or rejects with what the handler failed with; `undefined` when it has ended already. */
  run(event: Event, attempt: number): undefined | Promise<void> {
    const isPlain = attempt === 1 && !this.#isFollowed && this.#options.timeoutMs === undefined
    if (!isPlain || this.#operation.channel.hasSubscribers) {
      return this.#runOtherwise(event, attempt)
    }
    return this.#callSync(event, this.#firstContext)
  }

  #runOtherwise(event: Event, attempt: number): undefined | Promise<void> {
    if (!this.#operation.channel.hasSubscribers) return this.#runUntraced(event, attempt)
    const context = { subscription: this.#options.subscription.id, event, attempt }
    return this.#operation.trace(async () => await this.#runUntraced(event, attempt), context)
  }

  #runUntraced(event: Event, attempt: number): undefined | Promise<void> {
    const { timeoutMs } = this.#options
    if (timeoutMs !== undefined) return this.#runWithin(timeoutMs, event, attempt)
    return this.#call(
      event,
      attempt === 1 ? this.#firstContext : this.#contextOf(attempt, this.#abort.signal),
    )
  }

  #contextOf(attempt: number, signal: AbortSignal): HandlerContext {
    return Object.freeze({ attempt, signal, subscription: this.#options.subscription })
  }

  #call(event: Event, context: HandlerContext): undefined | Promise<void> {
    return this.#isFollowed ? this.#callFollowed(event, context) : this.#callSync(event, context)
  }

  /** The handler returned at once so far; this one call may show that it does not always. */
  #callSync(event: Event, context: HandlerContext): undefined | Promise<void> {
    const { host, handler } = this.#options
    this.#onStack.live = true
    let result: unknown
    try {
      result = host.scope.runSync(this.#onStack, this.#context, handler, event, context)
    } finally {
      this.#onStack.live = false
    }
    if (result === undefined || !isThenable(result)) return undefined
    this.#isFollowed = true
    host.scope.follow()
    this.#syncCalls = -Infinity
    this.#unfollowed++
    return this.#untilEnd(result, undefined)
  }

  #callFollowed(event: Event, context: HandlerContext): undefined | Promise<void> {
    const { handler, host, subscription } = this.#options
    const handling: Handling = { subscription, live: true }
    let result: unknown
    try {
      result = host.scope.runFollowed(handling, this.#context, handler, event, context)
      if (!isThenable(result)) {
        handling.live = false
        this.#noteSync()
        return undefined
      }
      this.#syncCalls = -Infinity
    } catch (error) {
      handling.live = false
      throw error
    }
    return this.#untilEnd(result, handling)
  }

  /** Enough calls that returned at once: the next ones are taken for the same. One that is not ends that for good. */
  #noteSync(): void {
    this.#syncCalls++
    if (this.#syncCalls < SYNC_CALLS) return
    this.#isFollowed = false
    this.#options.host.scope.unfollow()
  }

  /** @param handling - of the call; `undefined`: it was not followed */
  async #untilEnd(result: PromiseLike<unknown>, handling: Handling | undefined): Promise<void> {
    try {
      await result
    } finally {
      if (handling === undefined) this.#unfollowed--
      else handling.live = false
    }
  }

  #runWithin(timeoutMs: number, event: Event, attempt: number): undefined | Promise<void> {
    const { clock } = this.#options.host
    const abort = new AbortController()
    const unlink = onAbort(this.#abort.signal, (reason) => abort.abort(reason))
    let run: undefined | Promise<void>
    try {
      run = this.#call(event, this.#contextOf(attempt, abort.signal))
    } catch (error) {
      unlink()
      throw error
    }
    if (run === undefined) {
      unlink()
      return undefined
    }
    const ended = run
    return new Promise((resolve, reject) => {
      let timeout: TimeoutError | undefined
      let isZombie = false
      const timer = clock.setTimeout(() => {
        timeout = new TimeoutError(`The handler took longer than ${timeoutMs} ms`)
        abort.abort(timeout)
        isZombie = this.#becomeZombie()
        if (isZombie) reject(timeout)
      }, timeoutMs)
      const end = (settle: () => void): void => {
        clock.clearTimeout(timer)
        unlink()
        if (isZombie) this.#zombies--
        else settle()
      }
      ended.then(
        () => end(() => (timeout === undefined ? resolve() : reject(timeout))),
        (error: unknown) => {
          if (timeout !== undefined) this.#reportLate(error, abort.signal)
          end(() => reject(timeout ?? error))
        },
      )
    })
  }

  #becomeZombie(): boolean {
    if (this.#zombies >= this.#options.zombieLimit) return false
    this.#zombies++
    return true
  }

  /** A handler that gave up because its signal aborted reports nothing new. */
  #reportLate(error: unknown, signal: AbortSignal): void {
    if (error === signal.reason || (error as Error | undefined)?.name === 'AbortError') return
    this.#options.host.report('handler', asError(error))
  }
}

/** A handler that is followed, and the one of another bus inside of which it was called. */
interface Followed {
  readonly scope: HandlingScope
  readonly handling: Handling
  readonly outer: Followed | undefined
}

/**
 * Whether the current code was called from inside a handler of a bus, and from which.
 *
 * Following a handler over its awaits slows down every promise of the process, so it ends when no handler needs it any
 * more; one that returns at once is only remembered while it is on the stack.
 */
export class HandlingScope {
  // One for the process: which code called which is a fact of it, and Node before 24 visits each storage at each promise.
  static readonly #storage = new AsyncLocalStorage<Followed | undefined>()
  /** Scopes of the process that follow handlers. */
  static #scopes = 0
  #onStack: Handling | undefined
  /** Subscriptions whose handlers are followed. */
  #followed = 0

  /** The handler that the current code runs inside of. */
  get current(): Handling | undefined {
    return this.#onStack ?? (this.#followed > 0 ? this.#innermost() : undefined)
  }

  /** The same, of whatever bus the handler is. */
  get currentOfAny(): Handling | undefined {
    if (this.#onStack !== undefined || HandlingScope.#scopes === 0) return this.#onStack
    return HandlingScope.#storage.getStore()?.handling
  }

  /** The handlers of one more subscription are followed from now on. */
  follow(): void {
    if (this.#followed++ === 0) HandlingScope.#scopes++
  }

  /** Those of one less. */
  unfollow(): void {
    if (--this.#followed > 0) return
    if (--HandlingScope.#scopes === 0) HandlingScope.#storage.disable()
  }

  /** Runs a handler that is expected to return at once. @param within - the context that its code sees */
  runSync(
    handling: Handling,
    within: AsyncResource,
    handler: Handler,
    event: Event,
    context: HandlerContext,
  ): unknown {
    const outer = this.#onStack
    this.#onStack = handling
    try {
      if (HandlingScope.#scopes === 0) {
        return within.runInAsyncScope(handler, undefined, event, context)
      }
      // Which handler called is known from the caller's context, not from that of the subscription.
      const caller = HandlingScope.#storage.getStore()
      return within.runInAsyncScope(runIn, HandlingScope.#storage, caller, handler, event, context)
    } finally {
      this.#onStack = outer
    }
  }

  /** Runs a handler, and follows it over its awaits. */
  runFollowed(
    handling: Handling,
    within: AsyncResource,
    handler: Handler,
    event: Event,
    context: HandlerContext,
  ): unknown {
    const storage = HandlingScope.#storage
    const followed = { scope: this, handling, outer: around(this, storage.getStore()) }
    const outer = this.#onStack
    this.#onStack = handling
    try {
      return within.runInAsyncScope(runIn, storage, followed, handler, event, context)
    } finally {
      this.#onStack = outer
    }
  }

  #innermost(): Handling | undefined {
    let followed = HandlingScope.#storage.getStore()
    while (followed !== undefined && followed.scope !== this) followed = followed.outer
    return followed?.handling
  }
}

function runIn(
  this: AsyncLocalStorage<Followed | undefined>,
  followed: Followed | undefined,
  handler: Handler,
  event: Event,
  context: HandlerContext,
): unknown {
  return this.run(followed, handler, event, context)
}

/** The handlers of other buses that still run: two buses that answer each other for ever must not make a chain. */
function around(scope: HandlingScope, followed: Followed | undefined): Followed | undefined {
  if (followed === undefined) return undefined
  const outer = around(scope, followed.outer)
  if (followed.scope === scope || !followed.handling.live) return outer
  return outer === followed.outer ? followed : { ...followed, outer }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}
