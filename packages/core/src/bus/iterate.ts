/** Pulling events: a subscription whose events are handed out on demand, and `for await` over it. */

import { AbortedError, ClosedError } from '../contract/errors.ts'
import type { Event } from '../contract/event.ts'
import type { SubscribeOptions, Subscriber, Subscription } from '../contract/subscriber.ts'
import type { WaitOptions } from '../contract/transport.ts'
import { onAbort } from '../queue/abort-watch.ts'

/** Options of `bus.events`. */
export interface IterateOptions extends WaitOptions {
  /** How many events may wait for demand before the transport is asked to pause, an integer ≥ 1. @default 16 */
  readonly highWaterMark?: number | undefined
  /** How many may still wait when it may go on, an integer ≥ 0 below `highWaterMark`. @default half of `highWaterMark` */
  readonly lowWaterMark?: number | undefined
}

/** How many events wait for demand by default. */
export const DEFAULT_HIGH_WATER_MARK = 16

/**
 * The consumer stopped while it worked on an event, by an error or a `break`: the iterator cannot know which. The event is
 * not settled. It becomes a dead letter, or is reported where there are none.
 */
export class UnsettledError extends ClosedError {
  constructor() {
    super('The consumer stopped before it asked for the next event, so this one is not settled')
  }
}

/**
 * Subscribes at once; what cannot be subscribed is thrown by the first `next`. An event is settled when the next one
 * is asked for, so the one that was worked on when the loop was left is not.
 */
export function iterate(
  subscriber: Pick<Subscriber, 'subscribe'>,
  patterns: string | readonly string[],
  options: IterateOptions = {},
): AsyncIterableIterator<Event> & AsyncDisposable {
  return new EventIterator(new PullSubscription(subscriber, patterns, options))
}

/** An event that was handed out. The consumer settles it, once. */
export interface PulledEvent {
  readonly event: Event
  /** It is done. */
  settle(): void
  /** The consumer stopped before it was done. */
  abandon(): void
}

interface Pull {
  resolve(pulled: PulledEvent | undefined): void
  reject(error: Error): void
}

/** A subscription whose handler waits for its consumer: demand decides the pace, up to the publisher. */
export class PullSubscription {
  readonly #signal: AbortSignal | undefined
  readonly #subscription: Promise<Subscription | undefined>
  readonly #pulls: Pull[] = []
  /** Events that no call of `next` has requested yet, the oldest first. */
  readonly #offers: (PulledEvent & { refuse(): void })[] = []
  #isWatching = false
  #isOver = false
  /** Thrown by the next pull, once. */
  #failure: Error | undefined

  /** @param inHand - how many events the consumer may have at a time before it settles one */
  constructor(
    subscriber: Pick<Subscriber, 'subscribe'>,
    patterns: string | readonly string[],
    options: IterateOptions,
    inHand = 1,
  ) {
    const { signal, highWaterMark = DEFAULT_HIGH_WATER_MARK, lowWaterMark } = options
    this.#signal = signal
    this.#subscription = this.#subscribe(subscriber, patterns, {
      queue: { capacity: highWaterMark },
      lowWaterMark,
      signal,
      concurrency: inHand,
    })
  }

  /** The next event; `undefined`: there is none any more. Rejects with what ended the subscription. */
  pull(): Promise<PulledEvent | undefined> {
    const abortion = this.#abortion()
    if (abortion !== undefined) this.#end(abortion)
    if (this.#failure !== undefined) {
      const failure = this.#failure
      this.#failure = undefined
      return Promise.reject(failure)
    }
    if (this.#isOver) return Promise.resolve(undefined)
    return new Promise((resolve, reject) => {
      this.#pulls.push({ resolve, reject })
      this.#match()
    })
  }

  /** Whether a pull waits for an event. */
  get isAwaited(): boolean {
    return this.#pulls.length > 0
  }

  /** The consumer wants no more. What it was not given is settled, as what waits in the queue of a subscription is. */
  async close(): Promise<void> {
    this.#end(undefined)
    for (const offer of this.#offers.splice(0)) offer.settle()
    const subscription = await this.#subscription
    await subscription?.unsubscribe()
  }

  async #subscribe(
    subscriber: Pick<Subscriber, 'subscribe'>,
    patterns: string | readonly string[],
    options: SubscribeOptions,
  ): Promise<Subscription | undefined> {
    try {
      const handler = (event: Event, { signal }: { readonly signal: AbortSignal }): Promise<void> =>
        this.#onEvent(event, signal)
      const subscription = await subscriber.subscribe(patterns, handler, options)
      subscription.closed.then(
        () => this.#end(this.#abortion()),
        (error: Error) => this.#end(error),
      )
      return subscription
    } catch (error) {
      this.#end(error as Error)
      return undefined
    }
  }

  #onEvent(event: Event, closing: AbortSignal): Promise<void> {
    if (!this.#isWatching) {
      this.#isWatching = true
      // What waits here was not seen, so it takes the way of what waits in the queue. `closed` says why it closes.
      onAbort(closing, () => {
        for (const offer of this.#offers.splice(0)) offer.refuse()
      })
    }
    return new Promise((settle, reject) => {
      const refuse = (): void =>
        reject(new ClosedError('The iteration ended before this event was asked for'))
      const abandon = (): void => reject(new UnsettledError())
      if (this.#isOver) settle()
      else {
        this.#offers.push({ event, settle, abandon, refuse })
        this.#match()
      }
    })
  }

  /** The subscription listens to the signal; here it only says why that ended. */
  #abortion(): AbortedError | undefined {
    if (this.#signal?.aborted !== true) return undefined
    return new AbortedError('The iteration', { cause: this.#signal.reason })
  }

  #match(): void {
    if (this.#pulls.length > 0 && this.#offers.length > 0) {
      this.#pulls.shift()?.resolve(this.#offers.shift())
    }
  }

  #end(error: Error | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    const [first, ...rest] = this.#pulls.splice(0)
    if (error !== undefined && first !== undefined) first.reject(error)
    else {
      this.#failure = error
      first?.resolve(undefined)
    }
    for (const pull of rest) pull.resolve(undefined)
  }
}

class EventIterator implements AsyncIterableIterator<Event, undefined>, AsyncDisposable {
  readonly #events: PullSubscription
  /** Given out and not settled yet. */
  #taken: PulledEvent | undefined

  constructor(events: PullSubscription) {
    this.#events = events
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Event, undefined>> {
    this.#settleTaken()
    const pulled = await this.#events.pull()
    if (pulled === undefined) return { done: true, value: undefined }
    // A caller that already waits for the one after this has requested it.
    if (this.#events.isAwaited) pulled.settle()
    else this.#taken = pulled
    return { done: false, value: pulled.event }
  }

  async return(): Promise<IteratorResult<Event, undefined>> {
    const closed = this.#events.close()
    this.#taken?.abandon()
    this.#taken = undefined
    await closed
    return { done: true, value: undefined }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  #settleTaken(): void {
    this.#taken?.settle()
    this.#taken = undefined
  }
}
