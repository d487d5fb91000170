/** The handlers: one small interface for each thing that a client can do in its own way, put into options and transports. */
import {
  attachLogger,
  type Event,
  type AttachLoggerOptions,
  type Logger,
  type TransportEvents,
} from '@bus/core'
import { check, checkOptions, type Check, type Shape } from '@bus/core/kit'
import {
  WebSocketTransport,
  busV1,
  mergeConfig,
  type ClientConfig,
  type FrameListener,
  type RawFrame,
  type WebSocketTransportOptions,
} from '@bus/websocket'
import {
  isPlainProtocol,
  overlay,
  type Frame,
  type PlainProtocol,
  type Protocol,
  type ProtocolLink,
  type ProtocolReceiver,
} from '@bus/websocket/protocol'
import type { AuthHandler } from './auth.ts'
import { withAuth } from './with-auth.ts'

/** Told of the connection. */
export interface ConnectionHandler {
  /** A link is ready: the first, and each that was made again. @default nothing */
  onConnect?(notice: TransportEvents['open']): void
  /** A link that was ready has ended. @default nothing */
  onDisconnect?(notice: TransportEvents['close']): void
  /** The state changed, in any way. @default nothing */
  onStatus?(notice: TransportEvents['status']): void
}

/** How events travel in messages, and a look at every message. Not on `bus.v1`, but for `onMessage`. */
export interface MessageHandler {
  /**
   * Sees each message as it comes, also those that are no events. What it returns is sent back, on the same link.
   * @default nothing
   */
  onMessage?(message: RawFrame): Frame | readonly Frame[] | undefined | void
  /** Makes the message of an event. @default what the protocol does */
  encode?(event: Event): Frame
  /**
   * Reads the events of a message. What it throws is reported, the message is a dead letter, and the link stays up.
   * @default what the protocol does
   */
  decode?(frame: Frame, receiver: ProtocolReceiver): void
}

/** What failures mean. */
export interface ErrorHandler {
  /** Told of everything that failed and that no caller is waiting for. @default nothing */
  onError?(notice: TransportEvents['error']): void
  /**
   * Whether another attempt can help after this failure; `closeCode` is the one with which a link ended.
   * @default `reconnect.classify`, or the function `classify` of `@bus/websocket`
   */
  classify?(error: unknown, closeCode: number | undefined): 'transient' | 'fatal'
}

/** How a server is asked for what is subscribed. */
export interface SubscriptionHandler {
  /** As `Protocol.subscribe`: resolves when the server has confirmed the patterns. Not on `bus.v1`. @default what the protocol does */
  subscribe?(patterns: readonly string[], link: ProtocolLink): Promise<void>
  /** Not on `bus.v1`. @default what the protocol does */
  unsubscribe?(patterns: readonly string[], link: ProtocolLink): Promise<void>
  /** Told what was restored on a new link. @default nothing */
  onRestored?(notice: TransportEvents['subscriptions-restored']): void
  /** Told what could not be restored. @default nothing */
  onFailed?(notice: TransportEvents['subscriptions-failed']): void
}

/** What is limited. Without the option `admission` nothing is. */
export interface RateLimitHandler {
  /** Told of each event that waits for tokens or was refused. @default nothing */
  onLimit?(notice: TransportEvents['rate-limit']): void
}

/** Where the transport's notices are logged. */
export interface LoggingHandler extends AttachLoggerOptions {
  /** Gets them in words, with their facts: `console` and pino are such loggers. */
  readonly logger: Logger
}

/** What a client does in its own way; each is optional, and so is each function in it. */
export interface Handlers {
  readonly connection?: ConnectionHandler | undefined
  readonly message?: MessageHandler | undefined
  readonly error?: ErrorHandler | undefined
  readonly subscription?: SubscriptionHandler | undefined
  /** Says who we are in messages; on `bus.v1` use the `token` of `busV1`. @default what the protocol does */
  readonly auth?: AuthHandler | undefined
  readonly rateLimit?: RateLimitHandler | undefined
  /** @default nothing is logged */
  readonly logging?: LoggingHandler | undefined
}

/** Options of which any may be left out, with the handlers of the client. */
export type ClientOptions = ClientConfig & {
  /** What this client does in its own way; another layer changes only the handlers that it names. @default {} */
  readonly handlers?: Handlers | undefined
}

/**
 * The options with what the handlers put in their place: the dialect, the requests for subscriptions, authentication,
 * and what failures mean. Neither is changed. The other handlers listen: see {@link attachHandlers}.
 *
 * @throws `ConfigError` that names the handler
 * @example
 * ```ts
 * import { attachHandlers, tokenAuth, withHandlers } from '@bus/platforms'
 * import { webSocketTransport } from '@bus/websocket'
 *
 * const handlers = {
 *   auth: tokenAuth({ token: 'read-only' }),
 *   connection: { onConnect: () => console.log('connected') },
 * }
 * const transport = webSocketTransport(withHandlers({ url: 'wss://feed.example/prices' }, handlers))
 * attachHandlers(transport, handlers)
 * ```
 */
export function withHandlers(
  options: WebSocketTransportOptions,
  handlers: Handlers,
): WebSocketTransportOptions {
  checkOptions<Handlers>('handlers', handlers, SHAPE)
  const reconnect = reconnectOf(options, handlers)
  return Object.freeze({
    ...options,
    protocol: protocolOf(options.protocol ?? busV1(), options, handlers),
    ...(reconnect === undefined ? {} : { reconnect }),
  })
}

/**
 * Lets the handlers that listen do so, as long as this transport lives; one that it is cloned into needs another call.
 * What they throw is an `error` event of kind `listener`.
 *
 * @throws `ConfigError` that names the handler
 */
export function attachHandlers(transport: WebSocketTransport, handlers: Handlers): void {
  checkOptions<Handlers>('handlers', handlers, SHAPE)
  const { connection, error, subscription, rateLimit, logging, message } = handlers
  listen(transport, 'open', connection, 'onConnect')
  listen(transport, 'close', connection, 'onDisconnect')
  listen(transport, 'status', connection, 'onStatus')
  listen(transport, 'error', error, 'onError')
  listen(transport, 'subscriptions-restored', subscription, 'onRestored')
  listen(transport, 'subscriptions-failed', subscription, 'onFailed')
  listen(transport, 'rate-limit', rateLimit, 'onLimit')
  if (logging !== undefined) {
    const { logger, ...options } = logging
    attachLogger(transport, logger, options)
  }
  if (message?.onMessage !== undefined) {
    const show: FrameListener = (frame) => message.onMessage?.(frame)
    transport.onFrame(show)
  }
}

/** Like `mergeConfig`, also inside of the handlers. */
export function mergeClientOptions<T extends object>(base: T, own: T): T {
  const merged = mergeConfig<T & ClientOptions>(base, own)
  const [under, over] = [(base as ClientOptions).handlers, (own as ClientOptions).handlers]
  if (!isGiven(under) || !isGiven(over)) return merged
  return Object.freeze({ ...merged, handlers: mergeConfig<Handlers>(under, over) })
}

/** A transport with its handlers at work. @throws `ConfigError` */
export function openTransport(
  config: WebSocketTransportOptions & Pick<ClientOptions, 'handlers'>,
): WebSocketTransport {
  const { handlers, ...options } = config
  if (handlers === undefined) return new WebSocketTransport(options)
  const transport = new WebSocketTransport(withHandlers(options, handlers))
  attachHandlers(transport, handlers)
  return transport
}

function isGiven(handlers: Handlers | undefined | null): handlers is Handlers {
  return handlers !== undefined && handlers !== null
}

/** An event for one function of a handler, which is looked up at each call, as its method. */
function listen<K extends keyof TransportEvents, M extends string>(
  transport: WebSocketTransport,
  name: K,
  handler: { readonly [method in M]?: (notice: TransportEvents[K]) => void } | undefined,
  method: M,
): void {
  if (handler?.[method] !== undefined) transport.on(name, (notice) => handler[method]?.(notice))
}

function protocolOf(
  base: Protocol,
  options: Pick<WebSocketTransportOptions, 'clock'>,
  handlers: Handlers,
): Protocol {
  const { auth, message, subscription } = handlers
  const { clock } = options
  const changed = withDialect(base, { ...dialectOf(message), ...requestsOf(subscription) })
  const protocol =
    auth === undefined ? changed : withAuth(changed, auth, clock === undefined ? {} : { clock })
  if (protocol === base) return base
  const clone = (): Protocol => protocolOf(base.clone?.() ?? base, options, handlers)
  return overlay(protocol, { clone })
}

/** A session has a wire of its own: what is spoken with other servers gets the changes. */
function withDialect(protocol: Protocol, changes: Partial<PlainProtocol>): Protocol {
  if (Object.keys(changes).length === 0) return protocol
  if (isPlainProtocol(protocol)) return overlay(protocol, changes)
  const { fallback } = protocol
  return fallback === undefined || !isPlainProtocol(fallback)
    ? protocol
    : overlay(protocol, { fallback: overlay(fallback, changes) })
}

function dialectOf(message: MessageHandler | undefined): Partial<PlainProtocol> {
  return {
    ...(message?.encode === undefined ? {} : { encode: message.encode.bind(message) }),
    ...(message?.decode === undefined ? {} : { decode: message.decode.bind(message) }),
  }
}

function requestsOf(handler: SubscriptionHandler | undefined): Partial<PlainProtocol> {
  return {
    ...(handler?.subscribe === undefined ? {} : { subscribe: handler.subscribe.bind(handler) }),
    ...(handler?.unsubscribe === undefined
      ? {}
      : { unsubscribe: handler.unsubscribe.bind(handler) }),
  }
}

function reconnectOf(
  { reconnect }: WebSocketTransportOptions,
  { error }: Handlers,
): WebSocketTransportOptions['reconnect'] {
  if (reconnect === false || error === undefined) return reconnect
  return Object.freeze({
    ...reconnect,
    ...(error.classify === undefined ? {} : { classify: error.classify.bind(error) }),
  })
}

const anObject = check.where(
  'to be an object',
  (value) => typeof value === 'object' && value !== null,
)

/** Not an exact shape: a handler may be an instance that keeps something to itself. */
function functionsOf(names: readonly string[]): Check {
  return (path, value) => {
    anObject(path, value)
    for (const name of names) {
      const member: unknown = (value as Readonly<Record<string, unknown>>)[name]
      if (member !== undefined) check.func(`${path}.${name}`, member)
    }
  }
}

const logging: Shape<LoggingHandler> = {
  logger: check.required(check.withMethods('debug', 'info', 'warn', 'error')),
  level: check.string(),
  name: check.string({ nonEmpty: true }),
}

const SHAPE: Shape<Handlers> = {
  connection: functionsOf([
    'onConnect',
    'onDisconnect',
    'onStatus',
  ] satisfies (keyof ConnectionHandler)[]),
  message: functionsOf(['onMessage', 'encode', 'decode'] satisfies (keyof MessageHandler)[]),
  error: functionsOf(['onError', 'classify'] satisfies (keyof ErrorHandler)[]),
  subscription: functionsOf([
    'subscribe',
    'unsubscribe',
    'onRestored',
    'onFailed',
  ] satisfies (keyof SubscriptionHandler)[]),
  auth: check.withMethods('credentials'),
  rateLimit: functionsOf(['onLimit'] satisfies (keyof RateLimitHandler)[]),
  logging: check.object(logging),
}
