/** The sink: sends bytes as the messages of a WebSocket. */
import {
  ClosedError,
  ConfigError,
  SerializationError,
  createEvent,
  type ConnectOptions,
  type DrainOptions,
  type DrainReport,
  type Event,
  type PublishOptions,
  type PublishReceipt,
} from '@bus/core'
import { WebSocketTransport, type ConnectivityOptions } from '@bus/websocket'
import { plainJson } from '@bus/websocket/protocol'
import { connectionIn, shareable, withOverrides } from './connection.ts'
import { readAs, textOf } from './format.ts'
import { BINARY, TEXT, messageCodec } from './message.ts'
import type { Properties } from './properties.ts'
import { checkSinkOptions, sinkOptionsOf, type WebSocketSinkOptions } from './sink-options.ts'
import { isOptions } from './source.ts'

/** What a sink that was stopped says to a publish. */
const STOPPED = 'The sink was stopped; start it before publishing'

/** Can be started and stopped as often as needed. Made by {@link webSocketSink}. */
export class WebSocketSink implements AsyncDisposable {
  readonly #options: WebSocketSinkOptions
  #transport: WebSocketTransport
  #isStopped = false
  #stopping: Promise<DrainReport> | undefined

  /** @throws `ConfigError` naming the option. */
  constructor(options: WebSocketSinkOptions) {
    checkSinkOptions(options)
    this.#options = Object.freeze({ ...options })
    this.#transport = this.#makeTransport()
  }

  /** The connection of the moment, for its status, notices and figures. */
  get transport(): WebSocketTransport {
    return this.#transport
  }

  /** Whether a message published now leaves at once. */
  get isConnected(): boolean {
    return this.#transport.status.state === 'ready'
  }

  /**
   * Connects. May be left out: the first publish does it.
   *
   * @throws what the first attempt failed with, unless `retry` is given; with `reconnect` further ones follow all the same
   */
  async start(options?: ConnectOptions): Promise<void> {
    await this.#stopping
    this.#isStopped = false
    await this.#alive().connect(options)
  }

  /**
   * Sends one message; its bytes are fixed before the call returns.
   *
   * Without a connection it waits for one, and rejects when the last attempt has failed; the next publish tries anew. With
   * `reconnect: false` it waits for the first connection only: once that is lost, it rejects until `start`.
   *
   * @throws `SerializationError` for what is not of the format, and what a text message cannot carry; nothing is sent
   */
  publish(data: Uint8Array | string, options?: PublishOptions): Promise<PublishReceipt> {
    if (this.#isStopped) {
      return Promise.reject(new ClosedError(STOPPED, { outcome: 'not-sent' }))
    }
    let event: Event
    try {
      event = this.#event(data)
    } catch (error) {
      return Promise.reject(error)
    }
    const transport = this.#options.reconnect === false ? this.#transport : this.#alive()
    return transport.publish(event, options)
  }

  /** Sends what was accepted, then closes. Idempotent; afterwards `start` begins anew. */
  stop(options?: DrainOptions): Promise<DrainReport> {
    this.#isStopped = true
    this.#stopping ??= this.#transport.drain(options).finally(() => {
      this.#stopping = undefined
    })
    return this.#stopping
  }

  /** Makes one connection of its own ready and closes it. Rejects with why it could not. */
  async validateConnectivity(options?: ConnectivityOptions): Promise<void> {
    await this.#transport.validateConnectivity(options)
  }

  /** A sink of its own with the same options but for the overrides; it is not started. */
  clone(overrides?: Partial<WebSocketSinkOptions>): WebSocketSink {
    return new WebSocketSink(withOverrides(shareable(this.#options), overrides))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** The transport, or a new one where it ended. */
  #alive(): WebSocketTransport {
    if (this.#transport.status.state === 'closed') this.#transport = this.#makeTransport()
    return this.#transport
  }

  #event(data: Uint8Array | string): Event {
    const { messageType = 'text', format = 'bytes' } = this.#options
    const bytes = bytesOf(data)
    try {
      const { text } = readAs(messageType === 'text' && format === 'bytes' ? 'text' : format, bytes)
      if (messageType === 'text')
        return createEvent(TEXT, typeof data === 'string' ? data : (text ?? textOf(bytes)))
    } catch (cause) {
      const what = format === 'bytes' ? 'text' : format
      const message = `The message of ${bytes.byteLength} bytes is not ${what}`
      throw new SerializationError(message, { cause, outcome: 'not-sent' })
    }
    // A copy: what the caller writes into the array later is not sent.
    return createEvent(BINARY, typeof data === 'string' ? bytes : new Uint8Array(bytes))
  }

  #makeTransport(): WebSocketTransport {
    const { queue, maxAttempts, onError } = this.#options
    const transport = new WebSocketTransport({
      ...connectionIn(this.#options),
      protocol: plainJson({ codec: messageCodec }),
      ...(queue === undefined ? {} : { queue }),
      ...(maxAttempts === undefined ? {} : { maxAttempts }),
    })
    if (onError !== undefined) transport.on('error', ({ error, kind }) => onError(error, kind))
    return transport
  }
}

/**
 * Makes a sink from options, or from flat properties and what those cannot say.
 *
 * @example
 * ```ts
 * import { webSocketSink } from '@bus/platforms'
 *
 * await using sink = webSocketSink({ 'websocket.url': 'wss://example.com/alerts' })
 * await sink.publish(JSON.stringify({ symbol: 'BTC', price: 1 }))
 * ```
 *
 * @throws `ConfigError` naming the option or the key.
 */
export function webSocketSink(
  input: Properties | WebSocketSinkOptions,
  overrides?: Partial<WebSocketSinkOptions>,
): WebSocketSink {
  const options = isOptions(input)
    ? withOverrides(input, overrides)
    : sinkOptionsOf(input, overrides)
  return new WebSocketSink(options)
}

function bytesOf(data: unknown): Uint8Array {
  if (data instanceof Uint8Array) return data
  if (typeof data !== 'string') {
    throw ConfigError.expected('data', 'to be a string or a Uint8Array', data)
  }
  // Encoding would put a replacement in the place of half a character, which nobody has written.
  if (/\p{Surrogate}/u.test(data)) {
    throw new SerializationError('The message has a lone surrogate', { outcome: 'not-sent' })
  }
  return new TextEncoder().encode(data)
}
