/** Node streams of events, for `stream.pipeline`. */
import { Readable, Writable } from 'node:stream'
import { callbackify } from 'node:util'
import type { Event, EventInit } from '../contract/event.ts'
import type { Subscriber } from '../contract/subscriber.ts'
import type { PublishReceipt } from '../contract/transport.ts'
import { DEFAULT_HIGH_WATER_MARK, iterate, type IterateOptions } from './iterate.ts'

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
