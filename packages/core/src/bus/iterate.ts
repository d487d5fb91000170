/** Pulling events with `for await`: demand decides the pace, up to the publisher. */

import { AbortedError, ClosedError } from '../contract/errors.ts'
import type { Subscriber, Subscription } from '../contract/subscriber.ts'
import type { WaitOptions, PublishReceipt } from '../contract/transport.ts'
import { Readable, Writable } from 'node:stream'
import { callbackify } from 'node:util'
import type { Event, EventInit } from '../contract/event.ts'

/** Options of `bus.events`. */
export interface IterateOptions extends WaitOptions {
  /** How many events may wait for demand before the transport is told to hold on, an integer ≥ 1. @default 16 */
  readonly highWaterMark?: number
  /** How many may still wait when it may go on, an integer ≥ 0 below `highWaterMark`. @default half of `highWaterMark` */
  readonly lowWaterMark?: number
}

/** How many events wait for demand when nothing else is asked for. */
const DEFAULT_HIGH_WATER_MARK = 16

/**
 * Subscribes at once; what cannot be subscribed is thrown by the first `next`. An event is settled when the next one
 * is asked for, or the loop ends.
 */
export function iterate(
  subscriber: Pick<Subscriber, 'subscribe'>,
  patterns: string | readonly string[],
  options: IterateOptions = {},
): AsyncIterableIterator<Event> & AsyncDisposable {
  const { signal, highWaterMark = DEFAULT_HIGH_WATER_MARK, lowWaterMark } = options
  return new EventIterator<Event>(
    (handler) =>
      subscriber.subscribe(patterns, handler, {
        queue: { capacity: highWaterMark },
        ...(lowWaterMark === undefined ? {} : { lowWaterMark }),
        ...(signal && { signal }),
      }),
    signal,
  )
}

interface Pull<E> {
  resolve(result: IteratorResult<E, undefined>): void
  reject(error: Error): void
}

/** An event whose handler has been called and waits for demand. */
interface Offer<E> {
  readonly event: E
  handled(): void
  failed(error: Error): void
}

type HandlerOf<E> = (event: E, context: { readonly signal: AbortSignal }) => Promise<void>

class EventIterator<E> implements AsyncIterableIterator<E, undefined>, AsyncDisposable {
  readonly #pulls: Pull<E>[] = []
  readonly #signal: AbortSignal | undefined
  readonly #live: Promise<Subscription | undefined>
  /** Called and not asked for yet. */
  #offer: Offer<E> | undefined
  /** Given out and not settled yet. */
  #taken: Offer<E> | undefined
  #isWatching = false
  #isFinished = false
  /** Thrown by the next pull, once. */
  #failure: Error | undefined

  constructor(
    subscribe: (handler: HandlerOf<E>) => Promise<Subscription>,
    signal: AbortSignal | undefined,
  ) {
    this.#signal = signal
    this.#live = this.#start(subscribe)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<E, undefined>> {
    this.#settleTaken()
    const abortion = this.#abortion()
    if (abortion !== undefined) this.#finish(abortion)
    if (this.#failure !== undefined) {
      const failure = this.#failure
      this.#failure = undefined
      return Promise.reject(failure)
    }
    if (this.#isFinished) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve, reject) => {
      this.#pulls.push({ resolve, reject })
      this.#match()
    })
  }

  async return(): Promise<IteratorResult<E, undefined>> {
    this.#finish(undefined)
    const subscription = await this.#live
    await subscription?.unsubscribe()
    return { done: true, value: undefined }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  async #start(
    subscribe: (handler: HandlerOf<E>) => Promise<Subscription>,
  ): Promise<Subscription | undefined> {
    try {
      const subscription = await subscribe((event, context) => this.#onEvent(event, context.signal))
      subscription.closed.then(
        () => this.#finish(this.#abortion()),
        (error: Error) => this.#finish(error),
      )
      return subscription
    } catch (error) {
      this.#finish(error as Error)
      return undefined
    }
  }

  #onEvent(event: E, closing: AbortSignal): Promise<void> {
    if (!this.#isWatching) {
      this.#isWatching = true
      closing.addEventListener('abort', () => this.#finish(undefined), { once: true })
    }
    return new Promise((resolve, reject) => {
      this.#offer = { event, handled: resolve, failed: reject }
      if (this.#isFinished) this.#refuseOffer()
      else this.#match()
    })
  }

  /** The subscription listens to the signal; here it only says why that ended. */
  #abortion(): AbortedError | undefined {
    if (this.#signal?.aborted !== true) return undefined
    return new AbortedError('The iteration', { cause: this.#signal.reason })
  }

  #match(): void {
    const offer = this.#offer
    if (offer === undefined) return
    const pull = this.#pulls.shift()
    if (pull === undefined) return
    this.#offer = undefined
    this.#taken = offer
    pull.resolve({ done: false, value: offer.event })
    // Whoever already waits for the one after this has asked for it.
    if (this.#pulls.length > 0) this.#settleTaken()
  }

  #settleTaken(): void {
    this.#taken?.handled()
    this.#taken = undefined
  }

  /** Nobody saw this event: it takes the way of a failed one. */
  #refuseOffer(): void {
    this.#offer?.failed(new ClosedError('The iteration ended before this event was asked for'))
    this.#offer = undefined
  }

  #finish(error: Error | undefined): void {
    if (this.#isFinished) return
    this.#isFinished = true
    this.#settleTaken()
    this.#refuseOffer()
    const [first, ...rest] = this.#pulls.splice(0)
    if (error !== undefined && first !== undefined) first.reject(error)
    else {
      this.#failure = error
      first?.resolve({ done: true, value: undefined })
    }
    for (const pull of rest) pull.resolve({ done: true, value: undefined })
  }
}

/** Options of `bus.toReadable`. */
export type ReadableOptions = IterateOptions

/** Options of `bus.toWritable`. */
export interface WritableOptions {
  /** Destroys the stream. */
  readonly signal?: AbortSignal
  /** How many events may be written ahead; they are published together, in order. @default 16 */
  readonly highWaterMark?: number
  /** Milliseconds after which one publish fails and ends the stream. @default no limit */
  readonly timeoutMs?: number
}

/** What may be written besides an event. */
interface WritableChunk {
  readonly type: string
  readonly payload: unknown
  readonly metadata?: EventInit
}

type Chunk = Event | WritableChunk

/** A stream of the matching events. */
export function readableOf(
  subscriber: Pick<Subscriber, 'subscribe'>,
  patterns: string | readonly string[],
  options: ReadableOptions = {},
): Readable {
  const events = iterate(subscriber, patterns, options)
  // One at a time: the buffer is that of the iterator.
  return Readable.from(events, { objectMode: true, highWaterMark: 1 })
}

/** A stream that publishes what is written; its back pressure is that of `publish`. */
export function writableOf(
  subscriber: Pick<Subscriber, 'publish'>,
  options: WritableOptions = {},
): Writable {
  const { signal, highWaterMark = DEFAULT_HIGH_WATER_MARK, timeoutMs } = options
  const withdraw = new AbortController()
  const wait = { signal: withdraw.signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) }
  const publish = (chunk: Chunk): Promise<PublishReceipt> => {
    if ('id' in chunk) return subscriber.publish(chunk, wait)
    const { type, payload, metadata } = chunk
    return subscriber.publish(type, payload, { ...wait, ...(metadata && { metadata }) })
  }
  const all = callbackify(async (chunks: readonly Chunk[]): Promise<void> => {
    await Promise.all(chunks.map(publish))
  })
  return new Writable({
    objectMode: true,
    highWaterMark,
    ...(signal && { signal }),
    write: (chunk: Chunk, _encoding, done) => all([chunk], (error) => done(error)),
    writev: (chunks, done) => {
      all(
        chunks.map(({ chunk }) => chunk as Chunk),
        (error) => done(error),
      )
    },
    destroy: (error, done) => {
      withdraw.abort(error ?? undefined)
      done(error)
    },
  })
}
