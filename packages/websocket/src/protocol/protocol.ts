/** The protocol: how events travel in frames, as an interface with one implementation per dialect, and the session that it opens. */
import type { BusError, Capabilities, Clock, ErrorKind, Event } from '@bus/core'

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
  /** Emits an `error` event for something that went wrong and that no caller is waiting for. */
  report(kind: ErrorKind, error: Error): void
  /** Ends the link; the transport makes another. */
  close(code: number, reason: string): void
}

/** Where a protocol puts the events that it finds in a frame. */
export interface ProtocolReceiver {
  /** An event. A protocol without acknowledgements gives 0 as the token. */
  event(event: Event, token: number): void
}

/** What the server has answered to the handshake. */
export interface ProtocolHandshake {
  /** The negotiated subprotocol; empty where there is none. */
  readonly subprotocol: string
  /** The headers of the answer, with names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

/** What a session needs of the link that is being made ready. */
export interface SessionLink extends ProtocolLink {
  /** Which link of its transport this is, from 1. */
  readonly generation: number
  /** Frames that no caller waits for go to the session from now on, instead of being kept until the link is ready. */
  flow(): void
  /** Pings; resolves with the round trip in milliseconds. */
  probe(options: { readonly timeoutMs: number }): Promise<number>
  /** Ends the link at once, for this reason. */
  fail(error: BusError): void
  /** The link as one request sees it: its waits end with the signal. */
  scoped(signal: AbortSignal): ProtocolLink
}

/** How a link ended, as far as a session needs to know. */
export interface LinkEnd {
  /** The close code received; 1006 when the link broke without one. */
  readonly code: number
  readonly initiatedBy: 'local' | 'remote'
}

/** Where messages come from. */
export interface WriterSource {
  /** The next message; `undefined` when there is none to send now. */
  next(): Frame | undefined
  /** Whether bytes that it gives are text. */
  readonly isText: boolean
  /** The operating system took over the oldest message. */
  taken(): void
}

/**
 * What a protocol makes of the outbox and the frames of one transport, over all of its links. It never touches a socket but
 * through a link.
 */
export interface ProtocolSession {
  readonly capabilities: ProtocolCapabilities
  /** A sink that has no room stops the reading of the socket; otherwise the session itself bounds what comes. */
  readonly pausesReading: boolean
  /** Where the writer gets its messages. */
  readonly source: WriterSource
  /** What is kept of an event until it is sent. @throws `SerializationError` */
  encode(event: Event): Frame
  /** Makes a new link ready: who we are, which patterns we subscribe to. Rejects when the link cannot be used. */
  open(link: SessionLink, attempt: number, signal: AbortSignal): Promise<void>
  /** Why a link was ended before it was ready, where that is more than the loss of a link. Absent: it never is. */
  refusal?(end: LinkEnd): BusError | undefined
  /** The link is ready. */
  up(): void
  /** The link that was ready has closed. */
  down(end: LinkEnd): void
  /** A frame came. */
  frame(frame: Frame): void
  /** A text message came, as bytes that are known to be UTF-8. Absent: {@link frame} gets it as a string. */
  text?(bytes: Buffer): void
  /** Events received. */
  readonly received: number
  /** Whether the subscription to the pattern, which was requested, must be requested anew in another way. Absent: never. */
  isOutdated?(pattern: string): boolean
  /** Requests these patterns from the other side. Absent: it sends everything. */
  subscribe?(patterns: readonly string[], link: ProtocolLink): Promise<void>
  unsubscribe?(patterns: readonly string[], link: ProtocolLink): Promise<void>
  /** Restores, on a new link, what is kept besides the patterns. */
  restore?(patterns: readonly string[], link: ProtocolLink): Promise<void>
  /** What must be said before the transport closes a link that is ready. */
  last(): Frame | undefined
  /** Leaves no timer. */
  close(): void
}

/** What a transport gives its protocol to open a session with. What else is in it, only the sessions of this package know. */
export interface SessionHost {
  readonly clock: Clock
  /** Bytes of the largest message that the transport takes. */
  readonly maxMessageBytes: number
}

/**
 * What a transport speaks. {@link PlainProtocol} is the form for dialects of other servers; `busV1` is the protocol of our
 * own hub.
 */
export interface Protocol {
  /** A short name: `plain-json`. */
  readonly name: string
  /** Offered in the handshake, the preferred one first. Empty: none. */
  readonly subprotocols: readonly string[]
  readonly capabilities: ProtocolCapabilities
  /** That it says itself who we are on each new link, and whether what it says can be another the next time. Absent: it does not. */
  readonly credentials?: 'fixed' | 'renewable'
  /** Spoken instead with a server that accepts none of the subprotocols. */
  readonly fallback?: Protocol
  /** Whether the server that took the connection speaks this protocol. Absent: each does. */
  accepts?(handshake: ProtocolHandshake): boolean
  /** Opens the session of one transport. */
  openSession(host: SessionHost): ProtocolSession
  /** A fresh one for another transport. Absent: the protocol keeps no state, so that several transports may have it. */
  clone?(): Protocol
}

/**
 * A protocol whose frames are events: no acknowledgement, sent is when the operating system has the frame.
 * `definePlainProtocol` makes one.
 *
 * A protocol object belongs to one transport. It never touches a socket: it makes frames and reads frames.
 */
export interface PlainProtocol extends Protocol {
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
   * Requests these patterns from the server; resolves when it has confirmed them. Absent: the server sends everything.
   * @throws `RejectedError` when it refuses any of them. Each is then requested alone, also those that it took already.
   */
  subscribe?(patterns: readonly string[], link: ProtocolLink): Promise<void>
  /** Ends the subscription to these patterns at the server. */
  unsubscribe?(patterns: readonly string[], link: ProtocolLink): Promise<void>
  /**
   * Restores what this protocol keeps over connections: on each new one, before `subscribe` is called with the patterns, if
   * there are any. What it throws fails the attempt.
   */
  restore?(patterns: readonly string[], link: ProtocolLink): Promise<void>
  /** The connection is ready, with everything restored. The protocol may use it until `link.signal` aborts. */
  up?(link: ProtocolLink): void
  /** The transport has ended: requests that are still pending get no answer any more. */
  close?(): void
  clone?(): PlainProtocol
}
