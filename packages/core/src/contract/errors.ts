/** The errors that the bus throws: one class per condition, each with a stable `code`. */
import { describeValue } from '../config/redact.ts'

/** What became of an event whose publish failed. */
export type Outcome =
  /** It never left this process; publishing it again cannot duplicate it. */
  | 'not-sent'
  /** The other side refused it. */
  | 'rejected'
  /** It left this process, and nobody knows whether it arrived. */
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
  abstract readonly code: BusErrorCode
  abstract readonly category: ErrorCategory
  /** What became of the event, for errors that reject a publish. */
  readonly outcome: Outcome | undefined
  readonly #retryable: boolean | undefined

  constructor(message: string, options: BusErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
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
  readonly code = 'serialization'
  readonly category = 'permanent'
}

/** An event above a size limit. */
export class TooLargeError extends BusError {
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
  readonly code = 'decode'
  readonly category = 'permanent'
}

/** Refused by a full queue with strategy `reject`. */
export class QueueFullError extends BusError {
  readonly code = 'queue-full'
  readonly category = 'transient'
}

/** Given up by a queue with strategy `drop-oldest` or `drop-newest`. */
export class DroppedError extends BusError {
  readonly code = 'dropped'
  readonly category = 'transient'
}

/** A deadline passed. */
export class TimeoutError extends BusError {
  readonly code = 'timeout'
  readonly category = 'transient'
}

/** The caller's `AbortSignal` ended the wait; `cause` is its reason. Its `name` is `AbortError`, as in Node. */
export class AbortedError extends BusError {
  readonly code = 'aborted'
  readonly category = 'permanent'

  constructor(what: string, options: BusErrorOptions = {}) {
    super(`${what} was aborted`, options)
    this.name = 'AbortError'
  }
}

/** The bus, transport or queue is closed. */
export class ClosedError extends BusError {
  readonly code = 'closed'
  readonly category = 'permanent'
}

/** The bus is draining and takes nothing new. */
export class DrainingError extends BusError {
  readonly code = 'draining'
  readonly category = 'permanent'
}

/** The transport does not promise this; see its `capabilities`. */
export class UnsupportedError extends BusError {
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
  readonly code = 'unknown-subscription'
  readonly category = 'permanent'
}

/** The circuit breaker is open: the call was not made. */
export class CircuitOpenError extends BusError {
  readonly code = 'circuit-open'
  readonly category = 'transient'
}

/** The handler of a subscription failed; `cause` is what it threw. */
export class HandlerError extends BusError {
  readonly code = 'handler'
  readonly category = 'transient'
}
