/** A bus as Node streams: a readable of events, and a writable that publishes. */

import { Readable, Writable } from 'node:stream'
import { callbackify } from 'node:util'
import type { Event, EventInit } from '../contract/event.ts'
import type { Subscriber } from '../contract/subscriber.ts'
import type { PublishReceipt } from '../contract/transport.ts'
import {
  DEFAULT_HIGH_WATER_MARK,
  PullSubscription,
  type IterateOptions,
  type PulledEvent,
} from './iterate.ts'

/** Options of `bus.toReadable`. */
export type ReadableOptions = IterateOptions

/**
 * A stream of the matching events. An event is settled when the consumer asks for the next one; one that was piped, when the
 * stream behind it has processed it.
 */
export function readableOf(
  subscriber: Pick<Subscriber, 'subscribe'>,
  patterns: string | readonly string[],
  options: ReadableOptions = {},
): Readable {
  const { highWaterMark = DEFAULT_HIGH_WATER_MARK } = options
  return new EventReadable(new PullSubscription(subscriber, patterns, options, highWaterMark))
}

/** An event that the consumer has, and how many streams behind a pipe are still at it. */
interface InHand {
  readonly pulled: PulledEvent
  writes: number
}

/** The high-water mark of the stream itself is 0: so it reads when its consumer asks, and not ahead. */
class EventReadable extends Readable {
  readonly #events: PullSubscription
  readonly #pipes = new Map<NodeJS.WritableStream, () => void>()
  /** Piped streams that are full. */
  readonly #full = new Set<NodeJS.WritableStream>()
  readonly #inHand = new Set<InHand>()
  /** The event that was pushed last. */
  #last: InHand | undefined

  constructor(events: PullSubscription) {
    super({ objectMode: true, highWaterMark: 0 })
    this.#events = events
    this.once('end', () => this.#settleLast())
  }

  override _read(): void {
    this.#settleLast()
    this.#events.pull().then(
      (pulled) => this.#push(pulled),
      (error: Error) => void this.destroy(error),
    )
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    for (const { pulled } of this.#inHand) pulled.abandon()
    this.#inHand.clear()
    callbackify(() => this.#events.close())(() => done(error))
  }

  /** As Node's own, but waits for what becomes of each event: a writable calls back when it has processed it. */
  override pipe<T extends NodeJS.WritableStream>(
    destination: T,
    options?: { readonly end?: boolean },
  ): T {
    const onData = (event: Event): void => this.#write(destination, event)
    const onDrain = (): void => {
      this.#full.delete(destination)
      if (this.#full.size === 0) this.resume()
    }
    const onOver = (): void => void this.unpipe(destination)
    const onEnd = (): void => void destination.end()
    this.on('data', onData)
    if (options?.end !== false) this.once('end', onEnd)
    destination.on('drain', onDrain).on('close', onOver).on('error', onOver)
    this.#pipes.set(destination, () => {
      this.off('data', onData).off('end', onEnd)
      destination.off('drain', onDrain).off('close', onOver).off('error', onOver)
    })
    destination.emit('pipe', this)
    this.resume()
    return destination
  }

  override unpipe(destination?: NodeJS.WritableStream): this {
    const all = destination === undefined ? [...this.#pipes.keys()] : [destination]
    for (const one of all) {
      const stop = this.#pipes.get(one)
      if (stop === undefined) continue
      stop()
      this.#pipes.delete(one)
      this.#full.delete(one)
      one.emit('unpipe', this, { hasUnpiped: false })
    }
    if (this.#pipes.size === 0) this.pause()
    return this
  }

  #push(pulled: PulledEvent | undefined): void {
    if (pulled === undefined) {
      this.push(null)
      return
    }
    if (this.destroyed) {
      pulled.abandon()
      return
    }
    this.#last = { pulled, writes: 0 }
    this.#inHand.add(this.#last)
    this.push(pulled.event)
  }

  #write(destination: NodeJS.WritableStream, event: Event): void {
    const inHand = this.#last
    if (inHand !== undefined) inHand.writes++
    const onWritten = (error?: Error | null): void => {
      if (inHand === undefined || (error !== undefined && error !== null)) return
      inHand.writes--
      if (inHand.writes === 0) this.#settle(inHand)
    }
    // Typed for text and bytes; a stream of objects takes any.
    const write = destination.write.bind(destination) as (
      chunk: unknown,
      done: (error?: Error | null) => void,
    ) => boolean
    if (write(event, onWritten)) return
    this.#full.add(destination)
    this.pause()
  }

  /** The consumer asks for the next: it is done with this one, unless that is still in a pipe. */
  #settleLast(): void {
    const last = this.#last
    this.#last = undefined
    if (last !== undefined && last.writes === 0) this.#settle(last)
  }

  #settle(inHand: InHand): void {
    if (this.#inHand.delete(inHand)) inHand.pulled.settle()
  }
}

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
