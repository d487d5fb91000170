/** The protocol: how events travel in frames on one connection, as an interface with one implementation per dialect. */
import type { Capabilities, ErrorKind, Event } from '@bus/core'
import type { SessionCredentials } from './credentials.ts'

/** One WebSocket message: text as a string, binary as bytes. */
export type Frame = string | Uint8Array

/** What of a transport's capabilities depends on the dialect. */
export type ProtocolCapabilities = Pick<
  Capabilities,
  | 'delivery'
  | 'ordering'
  | 'wildcards'
  | 'publishConfirm'
  | 'resume'
  | 'gaps'
  | 'dedupe'
  | 'echo'
  | 'binary'
>

/** What a protocol may do with a connection while it is made ready. */
export interface ProtocolLink {
  /** Aborted when the connection is lost, its deadline passes or the transport closes. */
  readonly signal: AbortSignal
  /** The negotiated subprotocol; empty where there is none. */
  readonly subprotocol: string
  /** Resolves when the frame was handed to the operating system. */
  send(frame: Frame): Promise<void>
  /**
   * Resolves with the first answer for which `match` gives something else than `undefined`; that frame goes no further.
   * The signal ends the wait earlier than the end of the link does.
   */
  waitFor<T>(match: (frame: Frame) => T | undefined, signal?: AbortSignal): Promise<T>
  /** Tells, as an `error` notice, of something that went wrong and that no caller is waiting for. */
  report(kind: ErrorKind, error: Error): void
  /** Ends the link; the transport makes another. */
  close(code: number, reason: string): void
}

/** Where a protocol puts what it finds in a frame. */
export interface ProtocolReceiver {
  /** An event; `token` comes back through `settled` when it was handled. */
  event(event: Event, token: number): void
}

/**
 * How events travel in frames on one connection.
 *
 * A protocol object belongs to one transport. It never touches a socket: it makes frames and reads frames.
 */
export interface Protocol {
  /** A short name: `plain-json`. */
  readonly name: string
  /** Offered in the handshake, the preferred one first. Empty: none. */
  readonly subprotocols: readonly string[]
  readonly capabilities: ProtocolCapabilities
  /** A session over all links, with acknowledgements, instead of what follows. There is one: see `busV1`. */
  readonly session?: 'bus.v1'
  /** What that session shows to say who we are. */
  readonly credentials?: SessionCredentials
  /** How long that session waits, in milliseconds, for a word about what it has published. */
  readonly progressMs?: number
  /** Spoken instead with a server that accepts none of the subprotocols. */
  readonly fallback?: Protocol
  /**
   * The frame of an event. Called inside `publish`, so that later changes of the payload are not sent.
   * @throws `SerializationError` for an event that cannot be written.
   */
  encode(event: Event): Frame
  /**
   * Reads one frame and gives its events to the receiver.
   * @throws `DecodeError` for a frame that means nothing. The connection stays up.
   */
  decode(frame: Frame, receiver: ProtocolReceiver): void
  /** Says who we are, before anything else on each new connection. */
  authenticate?(link: ProtocolLink): Promise<void>
  /**
   * Asks the server for these patterns; resolves when it has confirmed them. Absent: the server sends everything.
   * @throws `RejectedError` when it refuses any of them. Each is then asked for alone, also those that it took already.
   */
  subscribe?(patterns: readonly string[], link: ProtocolLink): Promise<void>
  /** Tells the server that these patterns are no longer wanted. */
  unsubscribe?(patterns: readonly string[], link: ProtocolLink): Promise<void>
  /**
   * Takes up again what this protocol keeps over connections: on each new one, before `subscribe` is called with the
   * patterns, if there are any. What it throws fails the attempt.
   */
  restore?(patterns: readonly string[], link: ProtocolLink): Promise<void>
  /** The connection is ready, with everything restored. The protocol may use it until `link.signal` aborts. */
  up?(link: ProtocolLink): void
  /** The transport has ended: what somebody still waits for will not come. */
  close?(): void
  /** A fresh one for another transport. Absent: the protocol keeps no state, so that several transports may have it. */
  clone?(): Protocol
}
