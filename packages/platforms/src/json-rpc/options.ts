/** The options of the JSON-RPC protocol. */
import {
  DecodeError,
  SerializationError,
  createEvent,
  isType,
  type Clock,
  type Event,
} from '@bus/core'
import { check, checkOptions, systemClock, type Shape, type Filled } from '@bus/core/kit'
import { DEFAULT_REQUEST_MS } from '@bus/websocket/protocol'
import type { RpcErrorBody, RpcParams } from './messages.ts'

/** A request that is about to be sent. */
export interface RpcOutgoing {
  readonly method: string
  readonly params: RpcParams | undefined
  /** The caller's. */
  readonly signal: AbortSignal | undefined
}

/** The options with every default filled in. */
export type ResolvedJsonRpcOptions = Filled<Omit<JsonRpcOptions, 'beforeRequest'>> &
  Pick<JsonRpcOptions, 'beforeRequest'>

/** How a server that speaks JSON-RPC 2.0 is spoken to. */
export interface JsonRpcOptions {
  /** Offered in the handshake. @default [] */
  readonly subprotocols?: readonly string[] | undefined
  /** Milliseconds that an answer may take where the call has no limit of its own, or `Infinity`. @default 10_000 */
  readonly timeoutMs?: number | undefined
  /** Requests that may wait for their answers at once, an integer ≥ 1. @default 1_000 */
  readonly maxPending?: number | undefined
  /**
   * The event in a notification of the server's; `undefined` when it is none, which is then a `notification` event.
   * @default the method is the type, with dots for slashes, and `params` the payload
   */
  readonly toEvent?:
    | ((notification: { readonly method: string; readonly params?: unknown }) => Event | undefined)
    | undefined
  /**
   * The notification that says an event to the server. What it throws rejects the publish.
   * @default the type is the method, and the payload, which must be an object or an array, `params`
   */
  readonly toNotification?:
    | ((event: Event) => { readonly method: string; readonly params?: RpcParams | undefined })
    | undefined
  /** Whether the same request can succeed later, after this error. @default for -32603, an internal error */
  readonly isRetryable?: ((error: RpcErrorBody) => boolean) | undefined
  /**
   * Runs before each request is sent, and may wait: for a rate limit. What it throws rejects the request. Its time is
   * not part of `timeoutMs`. @default nothing
   */
  readonly beforeRequest?: ((request: RpcOutgoing) => Promise<void>) | undefined
  /** Time, for tests. @default the clock of the machine */
  readonly clock?: Clock | undefined
}

const SHAPE: Shape<JsonRpcOptions> = Object.freeze({
  subprotocols: check.arrayOf(check.string({ nonEmpty: true })),
  timeoutMs: check.durationMs({ min: 1, allowInfinity: true, allowLong: true }),
  maxPending: check.integer({ min: 1 }),
  toEvent: check.func,
  toNotification: check.func,
  isRetryable: check.func,
  beforeRequest: check.func,
  clock: check.withMethods('now', 'setTimeout', 'clearTimeout'),
})

const INTERNAL_ERROR = -32_603

/** The options with every default filled in. @throws `ConfigError` naming the option */
export function resolveJsonRpcOptions(options: JsonRpcOptions = {}): ResolvedJsonRpcOptions {
  checkOptions('', options, SHAPE)
  return Object.freeze({
    subprotocols: Object.freeze([...(options.subprotocols ?? [])]),
    timeoutMs: options.timeoutMs ?? DEFAULT_REQUEST_MS,
    maxPending: options.maxPending ?? 1_000,
    toEvent: options.toEvent ?? eventOf,
    toNotification: options.toNotification ?? notificationOf,
    isRetryable: options.isRetryable ?? (({ code }) => code === INTERNAL_ERROR),
    clock: options.clock ?? systemClock,
    ...(options.beforeRequest === undefined ? {} : { beforeRequest: options.beforeRequest }),
  })
}

/** @throws `DecodeError` for a method that can be no type */
function eventOf(notification: { readonly method: string; readonly params?: unknown }): Event {
  const type = notification.method.replaceAll('/', '.')
  if (!isType(type)) throw new DecodeError(`The method ${notification.method} can be no type`)
  return createEvent(type, notification.params ?? null)
}

/** @throws `SerializationError` for a payload that JSON-RPC has no place for */
function notificationOf({ type, payload }: Event): {
  readonly method: string
  readonly params?: RpcParams
} {
  if (payload === null || payload === undefined) return { method: type }
  if (typeof payload === 'object') return { method: type, params: payload }
  const message = `The event \`${type}\` cannot be a notification: its payload is no object and no array`
  throw new SerializationError(message, { outcome: 'not-sent' })
}
