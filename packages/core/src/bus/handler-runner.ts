/** Runs a handler once for one event: context, deadline, and the handlers that outlive their deadline. */
import { TimeoutError } from '../contract/errors.ts'
import type { Event } from '../contract/event.ts'
import type { Handler, HandlerContext, Subscription } from '../contract/subscriber.ts'
import { telemetry } from '../observe/telemetry.ts'
import { asError } from './thrown.ts'
import type { Handling, SubscriptionHost } from './subscription-host.ts'

export interface HandlerRunnerOptions {
  readonly handler: Handler
  readonly subscription: Subscription
  readonly host: SubscriptionHost
  readonly timeoutMs: number | undefined
  readonly zombieLimit: number
}

/**
 * A synchronous handler costs no promise, no closure and no context of its own: without a deadline the first
 * attempt of every event gets the same context.
 *
 * A handler that outlives its deadline cannot be stopped. It becomes a zombie: its place is freed, so that one
 * that never ends does not end the subscription, until there are `zombieLimit` of them; then places stay taken.
 */
export class HandlerRunner {
  readonly #options: HandlerRunnerOptions
  readonly #abort = new AbortController()
  readonly #firstContext: HandlerContext
  #zombies = 0

  constructor(options: HandlerRunnerOptions) {
    this.#options = options
    this.#firstContext = this.#contextOf(1, this.#abort.signal)
  }

  get zombies(): number {
    return this.#zombies
  }

  /** Whether the current code runs inside a handler of this subscription. */
  get isInside(): boolean {
    const handling = this.#options.host.scope.getStore()
    return handling?.live === true && handling.subscription === this.#options.subscription
  }

  /** Aborts the context of every handler that runs. */
  abort(reason: Error): void {
    this.#abort.abort(reason)
  }

  /** Throws or rejects with what the handler failed with; `undefined` when it has ended already. */
  run(event: Event, attempt: number): undefined | Promise<void> {
    const operation = telemetry.operation('bus.deliver')
    if (!operation.isTraced) return this.#run(event, attempt)
    const context = { subscription: this.#options.subscription.id, event, attempt }
    return operation.trace(async () => await this.#run(event, attempt), context)
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
    const { handler, host, subscription } = this.#options
    const handling: Handling = { subscription, live: true }
    let result: unknown
    try {
      result = host.scope.run(handling, handler, event, context)
      if (!isThenable(result)) {
        handling.live = false
        return undefined
      }
    } catch (error) {
      handling.live = false
      throw error
    }
    return this.#untilEnd(result, handling)
  }

  async #untilEnd(result: PromiseLike<unknown>, handling: Handling): Promise<void> {
    try {
      await result
    } finally {
      handling.live = false
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
