/** The handlers: one small interface for each thing that a client can do in its own way, all of them optional. */
import type { Event, LogOptions, Logger, TransportEvents } from '@bus/core'
import { check, checkOptions, type Check, type Shape } from '@bus/core/kit'
import type { AuthHandler } from '../../platform/auth.ts'
import type { Frame, ProtocolLink, ProtocolReceiver } from '../../protocol/protocol.ts'
import type { RawFrame } from '../frames/frame-tap.ts'

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
  /** Whether another attempt can help after this failure. @default `reconnect.classify`, or the function `classify` */
  classify?(error: unknown): 'transient' | 'fatal'
  /** Whether to connect again after this close code. @default `reconnect.closePolicy`, or the function `closePolicy` */
  closePolicy?(code: number): 'reconnect' | 'stop'
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
export interface LoggingHandler extends LogOptions {
  /** Gets them in words, with their facts: `console` and pino are such loggers. */
  readonly logger: Logger
}

/** What a client does in its own way; each is optional, and so is each function in it. */
export interface Handlers {
  readonly connection?: ConnectionHandler
  readonly message?: MessageHandler
  readonly error?: ErrorHandler
  readonly subscription?: SubscriptionHandler
  /** Says who we are in messages; on `bus.v1` use the `token` of `busV1`. @default what the protocol does */
  readonly auth?: AuthHandler
  readonly rateLimit?: RateLimitHandler
  /** @default nothing is logged */
  readonly logging?: LoggingHandler
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
  error: functionsOf(['onError', 'classify', 'closePolicy'] satisfies (keyof ErrorHandler)[]),
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

/** Accepts handlers. */
export const checkHandlers: Check = (path, value) => checkOptions<Handlers>(path, value, SHAPE)
