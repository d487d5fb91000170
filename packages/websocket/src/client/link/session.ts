/** The session of a client: what its protocol makes of outbox and frames, over all links. */
import type { BusError, Event } from '@bus/core'
import type { Frame, ProtocolCapabilities, ProtocolLink } from '../../protocol/protocol.ts'
import type { CloseInfo } from './link.ts'

/** How a link ended, as far as a session cares. */
export type LinkEnd = Pick<CloseInfo, 'code' | 'initiatedBy'>

/** What a session needs of the link that is being made ready. */
export interface SessionLink extends ProtocolLink {
  /** Frames that nobody waits for go to the session from now on, instead of being kept until the link is ready. */
  flow(): void
  /** Pings; resolves with the round trip in milliseconds. */
  probe(options: { readonly timeoutMs: number }): Promise<number>
  /** Ends the link at once, for this reason. */
  fail(error: BusError): void
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

/** One per transport. It is told of every link, and never touches a socket but through one. */
export interface Session {
  readonly capabilities: ProtocolCapabilities
  /** A sink that has no room stops the reading of the socket; otherwise the session itself bounds what comes. */
  readonly pausesReading: boolean
  /** Where the writer gets its messages. */
  readonly source: WriterSource
  /** What is kept of an event until it is sent. @throws `SerializationError` */
  encode(event: Event): Frame
  /** Makes a new link ready: who we are, what is wanted. Rejects when the link cannot be used. */
  open(link: SessionLink, attempt: number, signal: AbortSignal): Promise<void>
  /** Why a link was ended before it was ready, where that is more than the loss of a link. Absent: it never is. */
  refusal?(end: LinkEnd): BusError | undefined
  /** The link is ready. */
  up(): void
  /** The link is gone. */
  down(end: LinkEnd): void
  /** A frame came. */
  frame(frame: Frame): void
  /** A text message came, as bytes that are known to be UTF-8. Absent: {@link frame} gets it as a string. */
  text?(bytes: Buffer): void
  /** Events received. */
  readonly received: number
  /** Whether the subscription to the pattern, which was requested, must be requested anew in another way. Absent: never. */
  isOutdated?(pattern: string): boolean
  /** Asks the other side for these patterns. Absent: it sends everything. */
  subscribe?(patterns: readonly string[], link: ProtocolLink): Promise<void>
  unsubscribe?(patterns: readonly string[], link: ProtocolLink): Promise<void>
  /** Takes up again, on a new link, what is kept besides the patterns. */
  restore?(patterns: readonly string[], link: ProtocolLink): Promise<void>
  /** What must be said before the transport closes a link that is ready. */
  last(): Frame | undefined
  /** Leaves no timer. */
  close(): void
}
