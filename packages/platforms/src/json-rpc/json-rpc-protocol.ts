/** The JSON-RPC protocol: requests with answers, and notifications as events, on whatever link there is. */
import {
  DecodeError,
  type Event,
  type Listenable,
  type ListenOptions,
  type Unsubscribe,
} from '@bus/core'
import { Emitter } from '@bus/core/kit'
import {
  plainJson,
  plainSession,
  Requests,
  type Frame,
  type PlainProtocol,
  type ProtocolCapabilities,
  type ProtocolLink,
  type ProtocolReceiver,
  type ProtocolSession,
  type SessionHost,
} from '@bus/websocket/protocol'
import type { RpcCaller } from './caller.ts'
import { LinkCaller, type CallerParts } from './link-caller.ts'
import { MessageReader } from './message-reader.ts'
import { jsonrpc, type RpcMessage } from './messages.ts'
import { resolveJsonRpcOptions, type JsonRpcOptions } from './options.ts'
import { PendingIds } from './pending.ts'
import { RpcServerRequest } from './server-request.ts'
import { written } from './written.ts'

/** What comes without having been asked for, and is no event. */
export interface JsonRpcNotices {
  /** An answer that no request waits for any more, or ever did. While nobody listens, it is a dead letter. */
  unmatched: Extract<RpcMessage, { readonly kind: 'result' | 'error' }>
  /** The server asks for something. While nobody listens, it is told that there is no such method. */
  request: RpcServerRequest
  /** A notification that `toEvent` made no event of. */
  notification: Extract<RpcMessage, { readonly kind: 'notification' }>
}

const METHOD_NOT_FOUND = { code: -32_601, message: 'Method not found' }

/**
 * Speaks JSON-RPC 2.0 for one transport, and makes requests on its link.
 *
 * A request goes on the link that is ready; without one it is refused at once. It is never sent again: when its link
 * ends, it fails, and so do all others on that link.
 *
 * @example
 * ```ts
 * import { jsonRpcProtocol } from '@bus/platforms'
 * import { webSocketTransport } from '@bus/websocket'
 *
 * const rpc = jsonRpcProtocol({ timeoutMs: 5_000 })
 * const transport = webSocketTransport({ url: 'wss://rpc.example.com', protocol: rpc })
 * rpc.on('unmatched', ({ id }) => console.log('too late', id))
 *
 * await transport.connect()
 * const time = await rpc.request<number>('public/get_time')
 * console.log(new Date(time))
 * ```
 */
export class JsonRpcProtocol implements PlainProtocol, RpcCaller, Listenable<JsonRpcNotices> {
  readonly name = 'json-rpc'
  readonly subprotocols: readonly string[]
  readonly capabilities: ProtocolCapabilities = plainJson().capabilities
  /** On the link that is ready: from the notice `open` on, until `close`. See {@link RpcCaller}. */
  readonly request: RpcCaller['request']
  readonly notify: RpcCaller['notify']
  readonly #parts: CallerParts
  readonly #notices: Emitter<JsonRpcNotices>
  /** The newest link, ready or not. */
  #link: ProtocolLink | undefined
  #readyLink: ProtocolLink | undefined

  /** @throws `ConfigError` naming the option */
  constructor(options: JsonRpcOptions = {}) {
    const resolved = resolveJsonRpcOptions(options)
    this.subprotocols = resolved.subprotocols
    this.#parts = {
      options: resolved,
      pending: new PendingIds(resolved.maxPending),
      requests: new Requests(resolved.clock),
      reader: new MessageReader(),
    }
    const caller = new LinkCaller(this.#parts, () => this.#readyLink)
    this.request = caller.request.bind(caller)
    this.notify = caller.notify.bind(caller)
    this.#notices = new Emitter((error) => {
      this.#link?.report('listener', error instanceof Error ? error : new Error(String(error)))
    })
  }

  /** Requests that wait for their answers. */
  get pending(): number {
    return this.#parts.pending.size
  }

  /** The same on one link, also before that is ready: for a platform's `auth` and `subscriptions`. */
  over(link: ProtocolLink): RpcCaller {
    return new LinkCaller(this.#parts, () => link)
  }

  on<K extends keyof JsonRpcNotices>(
    name: K,
    listener: (notice: JsonRpcNotices[K]) => void,
    options?: ListenOptions,
  ): Unsubscribe {
    return this.#notices.on(name, listener, options)
  }

  /** The frame of an event: a notification. */
  encode(event: Event): Frame {
    const { method, params } = this.#parts.options.toNotification(event)
    return written(jsonrpc.notification(method, params))
  }

  /** Reads what no request waited for. */
  decode(frame: Frame, receiver: ProtocolReceiver): void {
    const message = this.#parts.reader.read(frame)
    this.#parts.reader.forget()
    if (message === undefined) throw new DecodeError('The frame is no message of JSON-RPC 2.0')
    if (message.kind === 'notification') this.#tell(message, receiver)
    else if (message.kind === 'request') this.#serve(message)
    else if (this.#notices.has('unmatched')) this.#notices.emit('unmatched', message)
    else throw new DecodeError(`Nobody waits for the answer to request ${String(message.id)}`)
  }

  /** Only takes note of the link: it has no credentials. */
  authenticate(link: ProtocolLink): Promise<void> {
    this.#link = link
    return Promise.resolve()
  }

  /** Requests can be made from now on. */
  up(link: ProtocolLink): void {
    this.#link = link
    this.#readyLink = link
  }

  openSession(host: SessionHost): ProtocolSession {
    return plainSession(this, host)
  }

  /** Another with the same options, for another transport. */
  clone(): JsonRpcProtocol {
    return new JsonRpcProtocol(this.#parts.options)
  }

  #tell(message: JsonRpcNotices['notification'], receiver: ProtocolReceiver): void {
    const event = this.#parts.options.toEvent(message)
    if (event === undefined) this.#notices.emit('notification', message)
    else receiver.event(event, 0)
  }

  #serve(message: Extract<RpcMessage, { readonly kind: 'request' }>): void {
    if (this.#link === undefined) return
    const request = new RpcServerRequest(message, this.#link)
    if (this.#notices.has('request')) this.#notices.emit('request', request)
    // A link that is gone has nobody who waits for this.
    else void request.refuse(METHOD_NOT_FOUND).catch(() => {})
  }
}

/** Makes a {@link JsonRpcProtocol}, one for each transport. */
export function jsonRpcProtocol(options: JsonRpcOptions = {}): JsonRpcProtocol {
  return new JsonRpcProtocol(options)
}
