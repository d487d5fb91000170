/** The errors of a transport that has a link: dialing, handshake, loss. */
import { BusError, type BusErrorOptions } from './errors.ts'

/** The link could not be made or broke; `cause` is the system's error. */
export class ConnectionError extends BusError {
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
  readonly code = 'disconnected'
  readonly category = 'transient'
}

/** No connection of several is ready. */
export class NoConnectionsError extends BusError {
  readonly code = 'no-connections'
  readonly category = 'transient'
}

/** This handle has given its connection to another owner. */
export class DetachedError extends BusError {
  readonly code = 'detached'
  readonly category = 'permanent'
}

/** The server answered the handshake with something else than an upgrade. */
export class HandshakeError extends BusError {
  readonly code = 'handshake'
  readonly category = 'transient'
  /** The HTTP status. */
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** The first kilobytes of the answer's body. */
  readonly body: string
  /** What `Retry-After` asked for, in milliseconds. */
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
  readonly code = 'auth'
  readonly category = 'permanent'
}

/** The frames that make a connection ready could not be made or sent. */
export class BootstrapError extends BusError {
  readonly code = 'bootstrap'
  readonly category = 'transient'
}

/** The other side broke the protocol. */
export class ProtocolError extends BusError {
  readonly code = 'protocol'
  readonly category = 'permanent'
}

/** Nothing was heard from the other side for too long. */
export class HeartbeatTimeoutError extends BusError {
  readonly code = 'heartbeat-timeout'
  readonly category = 'transient'
}

/** Every permitted attempt failed; `cause` is the last failure. */
export class AttemptsExhaustedError extends BusError {
  readonly code = 'attempts-exhausted'
  readonly category = 'permanent'
}

/** The other side refused this event. */
export class RejectedError extends BusError {
  readonly code = 'rejected'
  readonly category = 'permanent'

  constructor(message: string, options: BusErrorOptions = {}) {
    super(message, { outcome: 'rejected', ...options })
  }
}
