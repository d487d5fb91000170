/** One run of a source, from its start to its stop: a transport and a bus of its own, and one subscription to everything. */
import {
  DecodeError,
  createBus,
  type Bus,
  type DeadLetterQueue,
  type DrainOptions,
  type DrainReport,
  type Event,
  type HandlerContext,
  type Subscription,
} from '@bus/core'
import { WebSocketTransport, type OnOpen } from '@bus/websocket'
import { plainJson, type Frame } from '@bus/websocket/protocol'
import { connectionIn } from './connection.ts'
import { readAs, type Reading } from './format.ts'
import { inflate } from './inflate.ts'
import { kindOf, messageCodec, type MessageKind } from './message.ts'
import type { WebSocketSourceOptions } from './source-options.ts'

/** What a callback learns besides the bytes. */
export interface SourceMessage extends Reading {
  /** The kind of frame that it came in. */
  readonly kind: MessageKind
  /** 1 the first time, more when the error policy retries. */
  readonly attempt: number
  /** Aborted when the source stops without waiting for this callback. */
  readonly signal: AbortSignal
}

/** Gets each message, one after the other. What it throws goes to the error policy. */
export type SourceCallback = (data: Uint8Array, message: SourceMessage) => void | Promise<void>

const MAX_INFLATED_BYTES = 16 * 1024 * 1024

/** Ends by {@link stop}, by the error policy, or with its transport. */
export class SourceRun {
  readonly transport: WebSocketTransport
  /** Resolves when the first connection is ready; rejects with why there will be none. */
  readonly started: Promise<void>
  /** Resolves when it was stopped; rejects with why it ended by itself. */
  readonly closed: Promise<void>
  readonly #options: WebSocketSourceOptions
  readonly #callback: SourceCallback
  readonly #bus: Bus
  #subscription: Subscription | undefined
  #hasEnded = false
  #end: (error?: Error) => void = () => {}

  constructor(
    options: WebSocketSourceOptions,
    deadLetters: DeadLetterQueue | false,
    callback: SourceCallback,
  ) {
    this.#options = options
    this.#callback = callback
    this.transport = sourceTransport(options, options.subscribeMessage)
    this.#bus = this.#makeBus(deadLetters)
    this.closed = new Promise((resolve, reject) => {
      this.#end = (error) => {
        this.#hasEnded = true
        if (error === undefined) resolve()
        else reject(error)
      }
    })
    // Whoever does not care must not be killed by it; the failure is also told to `onError`.
    this.closed.catch(() => {})
    this.transport.on('status', ({ status }) => {
      if (status.state === 'closed') this.#onEnd(status.cause)
    })
    this.started = this.#start()
    this.started.catch(() => {})
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  get subscription(): Subscription | undefined {
    return this.#subscription
  }

  /** Takes nothing more; resolves when what was received is handled, or at the limit. */
  async stop(options: DrainOptions | undefined): Promise<DrainReport> {
    const report = await this.#bus.drain(options)
    this.#onEnd(undefined)
    return report
  }

  async #start(): Promise<void> {
    const { queue, errorPolicy, callbackTimeoutMs } = this.#options
    try {
      const subscription = await this.#bus.subscribe(
        [],
        (event, context) => this.#handle(event, context),
        {
          ...(queue === undefined ? {} : { queue }),
          ...(errorPolicy === undefined ? {} : { errorPolicy }),
          ...(callbackTimeoutMs === undefined ? {} : { handlerTimeoutMs: callbackTimeoutMs }),
        },
      )
      this.#subscription = subscription
      subscription.closed.catch((error: Error) => this.#onEnd(error))
    } catch (error) {
      const { status } = this.transport
      const cause = status.state === 'closed' ? (status.cause ?? error) : error
      this.#onEnd(cause as Error)
      throw cause
    }
  }

  /** Idempotent: the first reason counts. */
  #onEnd(error: Error | undefined): void {
    if (this.#hasEnded) return
    this.#end(error)
    void this.#bus.close()
  }

  #makeBus(deadLetters: DeadLetterQueue | false): Bus {
    const { onError, errorLogLevel = 'warn', clock, random } = this.#options
    return createBus({
      transport: this.transport,
      deadLetters,
      ...(onError === undefined
        ? {}
        : { onError: (error, kind) => onError(error, kind, errorLogLevel) }),
      ...(clock === undefined ? {} : { clock }),
      ...(random === undefined ? {} : { random }),
    })
  }

  #handle(event: Event, context: HandlerContext): void | Promise<void> {
    const { decompress, maxInflatedBytes = MAX_INFLATED_BYTES } = this.#options
    const bytes = event.payload as Uint8Array
    const kind = kindOf(event)
    if (decompress === undefined || kind === 'text') return this.#call(bytes, kind, context)
    return inflate(bytes, decompress, maxInflatedBytes).then((inflated) =>
      this.#call(inflated, kind, context),
    )
  }

  #call(
    bytes: Uint8Array,
    kind: MessageKind,
    { attempt, signal }: HandlerContext,
  ): void | Promise<void> {
    return this.#callback(bytes, { kind, ...this.#read(bytes), attempt, signal })
  }

  #read(bytes: Uint8Array): Reading {
    const { format = 'bytes' } = this.#options
    try {
      return readAs(format, bytes)
    } catch (cause) {
      throw new DecodeError(`The message of ${bytes.byteLength} bytes is not ${format}`, { cause })
    }
  }
}

/** The transport of a source; with the messages that it sends on each new connection. */
export function sourceTransport(
  options: WebSocketSourceOptions,
  subscribeMessage?: Frame | readonly Frame[],
): WebSocketTransport {
  const connection = connectionIn(options)
  const { onOpen } = connection
  const asked = [subscribeMessage ?? []].flat() as readonly Frame[]
  const open: OnOpen = async (link) => [...((await onOpen?.(link)) ?? []), ...asked]
  return new WebSocketTransport({
    ...connection,
    protocol: plainJson({ codec: messageCodec }),
    ...(asked.length === 0 ? {} : { onOpen: open }),
  })
}
