/** Publishes inside of handlers: told of when one waits for long, because it may wait for its own handler. */
import type { Clock, Timer } from '../contract/clock.ts'
import type { Event } from '../contract/event.ts'
import type { Subscription } from '../contract/subscriber.ts'
import type { Handling } from './handling-scope.ts'

export interface HandlerPublishesOptions {
  readonly clock: Clock
  readonly blockedHandlerMs: number
  /** Told at most once for a subscription until none of its handlers waits. */
  readonly blocked: (subscription: Subscription, event: Event, waitedMs: number) => void
}

/** A publish that a handler may be waiting for. */
interface Waiting {
  readonly handling: Handling
  readonly event: Event
  readonly since: number
}

/**
 * A handler that waits for its own publish takes nothing meanwhile. Where the medium holds publishers back because of what
 * this very handler has not taken, both wait for each other. Looked at with one timer, so that a publish costs no timer.
 */
export class HandlerPublishes {
  readonly #options: HandlerPublishesOptions
  /** The oldest first. */
  readonly #waiting = new Set<Waiting>()
  readonly #told = new Set<Subscription>()
  #timer: Timer | undefined

  constructor(options: HandlerPublishesOptions) {
    this.#options = options
  }

  watch(handling: Handling, event: Event, publish: Promise<unknown>): void {
    const waiting: Waiting = { handling, event, since: this.#options.clock.now() }
    const end = (): void => void this.#waiting.delete(waiting)
    this.#waiting.add(waiting)
    publish.then(end, end)
    this.#arm()
  }

  /** No timer is left. */
  close(): void {
    if (this.#timer !== undefined) this.#options.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#waiting.clear()
  }

  #arm(): void {
    const { clock, blockedHandlerMs } = this.#options
    this.#timer ??= clock.setTimeout(() => {
      this.#timer = undefined
      this.#look()
      if (this.#waiting.size > 0) this.#arm()
    }, blockedHandlerMs)
  }

  #look(): void {
    const { clock, blockedHandlerMs, blocked } = this.#options
    const stillWaiting = new Set<Subscription>()
    for (const waiting of this.#waiting) {
      const { handling, event, since } = waiting
      const { subscription } = handling
      // The handler has ended, and left the publish behind: nothing waits for it.
      if (!handling.live) this.#waiting.delete(waiting)
      else {
        stillWaiting.add(subscription)
        const waitedMs = clock.now() - since
        if (waitedMs < blockedHandlerMs || this.#told.has(subscription)) continue
        this.#told.add(subscription)
        blocked(subscription, event, waitedMs)
      }
    }
    for (const subscription of this.#told)
      if (!stillWaiting.has(subscription)) this.#told.delete(subscription)
  }
}
