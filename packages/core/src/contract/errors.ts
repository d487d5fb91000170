/** The errors that the bus throws: one class per condition, each with a stable `code`. */

import { describeValue } from '../config/redact.ts'

/** What became of an event whose publish failed. */
export type Outcome =
  /** It never left this process; publishing it again cannot duplicate it. */
  | 'not-sent'
  /** The other side refused it. */
  | 'rejected'
  /** It left this process, and whether it arrived is unknown. */
  | 'unknown'

/** Whether trying again can help: `transient` yes, `permanent` no, `configuration` after a change by the caller. */
export type ErrorCategory = 'transient' | 'permanent' | 'configuration'

/** The stable codes. They are API: messages may improve, codes stay. */
export type BusErrorCode =
  | 'config'
  | 'validation'
  | 'serialization'
  | 'too-large'
  | 'decode'
  | 'queue-full'
  | 'dropped'
  | 'timeout'
  | 'aborted'
  | 'closed'
  | 'draining'
  | 'unsupported'
  | 'unknown-subscription'
  | 'circuit-open'
  | 'connection'
  | 'disconnected'
  | 'no-connections'
  | 'detached'
  | 'handshake'
  | 'auth'
  | 'bootstrap'
  | 'protocol'
  | 'heartbeat-timeout'
  | 'attempts-exhausted'
  | 'rejected'
  | 'rpc'
  | 'duplicate-id'
  | 'handler'
  | 'rate-limited'
  | 'recording'

/** What an error of the bus says besides its message. */
export interface BusErrorOptions {
  readonly cause?: unknown
  readonly outcome?: Outcome
  readonly retryable?: boolean
}

/** Base of every error that the bus throws on purpose. Match on `code`. */
export abstract class BusError extends Error {
  override name: string = 'BusError'

  abstract readonly code: BusErrorCode
  abstract readonly category: ErrorCategory
  /** What became of the event, for errors that reject a publish. */
  readonly outcome: Outcome | undefined
  readonly #retryable: boolean | undefined

  constructor(message: string, options: BusErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.outcome = options.outcome
    this.#retryable = options.retryable
  }

  /** Whether the same call can succeed later without a change by the caller. */
  get retryable(): boolean {
    return this.#retryable ?? this.category === 'transient'
  }

  /** The error as plain data, for logs and dead letters. */
  toJSON(): { name: string; code: BusErrorCode; message: string; retryable: boolean } {
    return { name: this.name, code: this.code, message: this.message, retryable: this.retryable }
  }
}

/** An argument or option that is not of its accepted form. Nothing was done. */
export class ConfigError extends BusError {
  override name: string = 'ConfigError'
  readonly code = 'config'
  readonly category = 'configuration'
  /** The option's name, dotted where it is nested: `reconnect.maxAttempts`. */
  readonly path: string

  constructor(path: string, message: string, options: BusErrorOptions = {}) {
    super(message, { outcome: 'not-sent', ...options })
    this.path = path
  }

  /** "Expected `path` …, got `value` (type)", the value redacted where the path names a secret. */
  static expected(path: string, form: string, value: unknown): ConfigError {
    return new ConfigError(path, `Expected \`${path}\` ${form}, got ${describeValue(value, path)}`)
  }
}

/** A payload that its schema does not accept. `issues` are those of the validator. */
export class ValidationError extends BusError {
  override name: string = 'ValidationError'
  readonly code = 'validation'
  readonly category = 'permanent'
  readonly issues: readonly { readonly message: string; readonly path: string }[]

  constructor(
    type: string,
    issues: readonly { readonly message: string; readonly path: string }[],
    options: BusErrorOptions = {},
  ) {
    const list = issues.map((i) => (i.path === '' ? i.message : `${i.path}: ${i.message}`))
    super(`The payload of \`${type}\` is not valid: ${list.join('; ')}`, {
      outcome: 'not-sent',
      ...options,
    })
    this.issues = issues
  }
}

/** An event that cannot be written as a frame: a cycle, a BigInt, a throwing `toJSON`. */
export class SerializationError extends BusError {
  override name: string = 'SerializationError'
  readonly code = 'serialization'
  readonly category = 'permanent'
}

/** An event above a size limit. */
export class TooLargeError extends BusError {
  override name: string = 'TooLargeError'
  readonly code = 'too-large'
  readonly category = 'permanent'
  readonly size: number
  readonly limit: number

  constructor(what: string, size: number, limit: number, options: BusErrorOptions = {}) {
    super(`${what} is ${size} bytes, the limit is ${limit}`, { outcome: 'not-sent', ...options })
    this.size = size
    this.limit = limit
  }
}

/** A frame from the other side that is not an event. */
export class DecodeError extends BusError {
  override name: string = 'DecodeError'
  readonly code = 'decode'
  readonly category = 'permanent'
}

/** Refused by a full queue with strategy `reject`. */
export class QueueFullError extends BusError {
  override name: string = 'QueueFullError'
  readonly code = 'queue-full'
  readonly category = 'transient'
}

/** Given up by a queue with strategy `drop-oldest` or `drop-newest`. */
export class DroppedError extends BusError {
  override name: string = 'DroppedError'
  readonly code = 'dropped'
  readonly category = 'transient'
}

/** A deadline passed. */
export class TimeoutError extends BusError {
  override name: string = 'TimeoutError'
  readonly code = 'timeout'
  readonly category = 'transient'
}

/** The caller's `AbortSignal` ended the wait; `cause` is its reason. Its `name` is `AbortError`, as in Node. */
export class AbortedError extends BusError {
  override name: string = 'AbortError'
  readonly code = 'aborted'
  readonly category = 'permanent'

  constructor(what: string, options: BusErrorOptions = {}) {
    super(`${what} was aborted`, options)
  }
}

/** The bus, transport or queue is closed. */
export class ClosedError extends BusError {
  override name: string = 'ClosedError'
  readonly code = 'closed'
  readonly category = 'permanent'
}

/** The bus is draining and takes nothing new. */
export class DrainingError extends BusError {
  override name: string = 'DrainingError'
  readonly code = 'draining'
  readonly category = 'permanent'
}

/** The transport does not promise this; see its `capabilities`. */
export class UnsupportedError extends BusError {
  override name: string = 'UnsupportedError'
  readonly code = 'unsupported'
  readonly category = 'configuration'
  /** The capability that is missing. */
  readonly capability: string

  constructor(transport: string, capability: string, options: BusErrorOptions = {}) {
    super(`The transport ${transport} does not support ${capability}`, {
      outcome: 'not-sent',
      ...options,
    })
    this.capability = capability
  }
}

/** `unsubscribe` got an id that names no live subscription. */
export class UnknownSubscriptionError extends BusError {
  override name: string = 'UnknownSubscriptionError'
  readonly code = 'unknown-subscription'
  readonly category = 'permanent'
}

/** The circuit breaker is open: the call was not made. */
export class CircuitOpenError extends BusError {
  override name: string = 'CircuitOpenError'
  readonly code = 'circuit-open'
  readonly category = 'transient'
}

/** The handler of a subscription failed; `cause` is what it threw. */
export class HandlerError extends BusError {
  override name: string = 'HandlerError'
  readonly code = 'handler'
  readonly category = 'transient'
}

/** The link could not be made or broke; `cause` is the system's error. */
export class ConnectionError extends BusError {
  override name: string = 'ConnectionError'
  readonly code = 'connection'
  readonly category = 'transient'
  /** The close code with which the link ended; `undefined` where it could not be made. */
  readonly closeCode: number | undefined

  constructor(message: string, options: BusErrorOptions & { readonly closeCode?: number } = {}) {
    super(message, options)
    this.closeCode = options.closeCode
  }
}

/** The connection was lost during the call. */
export class DisconnectedError extends BusError {
  override name: string = 'DisconnectedError'
  readonly code = 'disconnected'
  readonly category = 'transient'
}

/** This handle has given its connection to another owner. */
export class DetachedError extends BusError {
  override name: string = 'DetachedError'
  readonly code = 'detached'
  readonly category = 'permanent'
}

/** The server answered the handshake with something else than an upgrade. */
export class HandshakeError extends BusError {
  override name: string = 'HandshakeError'
  readonly code = 'handshake'
  readonly category = 'transient'
  /** The HTTP status. */
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** The first kilobytes of the answer's body. */
  readonly body: string
  /** What `Retry-After` demanded, in milliseconds. */
  readonly retryAfterMs: number | undefined

  constructor(
    answer: {
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
      readonly retryAfterMs?: number
    },
    options: BusErrorOptions = {},
  ) {
    super(`The server refused the handshake with status ${answer.status}`, options)
    this.status = answer.status
    this.headers = answer.headers
    this.body = answer.body
    this.retryAfterMs = answer.retryAfterMs
  }
}

/** The server does not accept our credentials. Retrying with the same credentials cannot help. */
export class AuthError extends BusError {
  override name: string = 'AuthError'
  readonly code = 'auth'
  readonly category = 'permanent'
}

/** The frames that make a connection ready could not be made or sent. */
export class BootstrapError extends BusError {
  override name: string = 'BootstrapError'
  readonly code = 'bootstrap'
  readonly category = 'transient'
}

/** The other side broke the protocol. */
export class ProtocolError extends BusError {
  override name: string = 'ProtocolError'
  readonly code = 'protocol'
  readonly category = 'permanent'
}

/** Nothing was heard from the other side for too long. */
export class HeartbeatTimeoutError extends BusError {
  override name: string = 'HeartbeatTimeoutError'
  readonly code = 'heartbeat-timeout'
  readonly category = 'transient'
}

/** Every permitted attempt failed; `cause` is the last failure. */
export class AttemptsExhaustedError extends BusError {
  override name: string = 'AttemptsExhaustedError'
  readonly code = 'attempts-exhausted'
  readonly category = 'permanent'
}

/** The other side refused this event. */
export class RejectedError extends BusError {
  override name: string = 'RejectedError'
  readonly code = 'rejected'
  readonly category = 'permanent'

  constructor(message: string, options: BusErrorOptions = {}) {
    super(message, { outcome: 'rejected', ...options })
  }
}

/** Why a rate limit refused something. */
export type RateLimitReason =
  /** There are no tokens for it now, and it may not wait for them or would wait for ever. */
  | 'limited'
  /** As many as may wait for tokens do so already. */
  | 'queue-full'
  /** It costs more than there can ever be. */
  | 'too-expensive'
  /** What it costs, or how urgent it is, could not be determined: `cause` says why. */
  | 'invalid-cost'

/** Refused by a rate limit; nothing was sent. */
export class RateLimitError extends BusError {
  override name: string = 'RateLimitError'
  readonly code = 'rate-limited'
  readonly category = 'transient'
  readonly reason: RateLimitReason
  /** Tokens; `NaN` where that could not be determined. */
  readonly cost: number
  /** Milliseconds after which the same call can be expected to pass; `Infinity`: never. */
  readonly retryAfterMs: number

  constructor(
    message: string,
    how: {
      readonly reason: RateLimitReason
      readonly cost: number
      readonly retryAfterMs: number
    },
    options: BusErrorOptions = {},
  ) {
    const retryable = Number.isFinite(how.retryAfterMs)
    super(message, { outcome: 'not-sent', retryable, ...options })
    this.reason = how.reason
    this.cost = how.cost
    this.retryAfterMs = how.retryAfterMs
  }
}

/** The value itself if it is an error; else an error whose `cause` it is. */
export function asError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  const message = `Something was thrown that is not an error: ${describeValue(thrown)}`
  return new HandlerError(message, { cause: thrown })
}
