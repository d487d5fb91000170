/** Runs a handler once for one event: context, deadline, and the handlers that outlive their deadline. */
import { TimeoutError, asError } from '../contract/errors.ts'
import type { Event } from '../contract/event.ts'
import type { Handler, HandlerContext, Subscription } from '../contract/subscriber.ts'
import { telemetry, type Operation, type TelemetryOperations } from '../observe/telemetry.ts'
import type { Handling, SubscriptionHost } from './handling-scope.ts'

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
 * A handler that outlives its deadline cannot be stopped. It becomes a zombie: its place is freed, so that one
 * that never ends does not end the subscription, until there are `zombieLimit` of them; then places stay taken.
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
  // The arguments of the call on the stack, so that a call needs no closure.
  #event: Event | undefined
  #context: HandlerContext | undefined
  readonly #onStack: Handling
  readonly #callHandler = (): unknown => {
    const event = this.#event
    const context = this.#context
    if (event === undefined || context === undefined) return undefined
    return this.#options.handler(event, context)
  }

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
    // A call of a handler that was taken for one that returns at once: whoever asks may be that handler.
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
    if (!this.#operation.isTraced) return this.#run(event, attempt)
    const context = { subscription: this.#options.subscription.id, event, attempt }
    return this.#operation.trace(async () => await this.#run(event, attempt), context)
  }

  #run(event: Event, attempt: number): undefined | Promise<void> {
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
    const { host } = this.#options
    this.#event = event
    this.#context = context
    this.#onStack.live = true
    let result: unknown
    try {
      result = host.scope.runSync(this.#onStack, this.#callHandler)
    } finally {
      this.#onStack.live = false
    }
    if (!isThenable(result)) return undefined
    this.#isFollowed = true
    this.#options.host.scope.follow()
    this.#syncCalls = -Infinity
    this.#unfollowed++
    return this.#untilEnd(result, undefined)
  }

  #callFollowed(event: Event, context: HandlerContext): undefined | Promise<void> {
    const { handler, host, subscription } = this.#options
    const handling: Handling = { subscription, live: true }
    let result: unknown
    try {
      result = host.scope.runFollowed(handling, () => handler(event, context))
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
    const all = this.#abort.signal
    const onAbort = (): void => abort.abort(all.reason)
    all.addEventListener('abort', onAbort, { once: true })
    const unlink = (): void => all.removeEventListener('abort', onAbort)
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

  /** A handler that gave up because its signal told it to has nothing new to say. */
  #reportLate(error: unknown, signal: AbortSignal): void {
    if (error === signal.reason || (error as Error | undefined)?.name === 'AbortError') return
    this.#options.host.report('handler', asError(error))
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}
