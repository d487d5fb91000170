/** What sees everything that goes over a connection: the port for recorders. */
import type { Frame } from '../../protocol/protocol.ts'

/** Whether something came or was sent. */
export type WatchDirection = 'in' | 'out'

/** How it ended. */
export interface WatchedEnd {
  /** 1006 where the link broke without a close frame. */
  readonly code: number
  readonly reason: string
  readonly initiatedBy: 'local' | 'remote'
}

/** Watches the connections of a transport. `Recorder` of `@bus/recording` is one. */
export interface ConnectionWatcher {
  /** A connection is about to be made to this URL. What it returns sees all that goes over that connection. */
  watch(url: string): ConnectionWatch
}

/** One per connection. None of its members throws or keeps what it is given: bytes belong to the connection. */
export interface ConnectionWatch {
  /** The handshake succeeded. */
  opened(protocol: string): void
  message(direction: WatchDirection, data: Frame, isBinary: boolean): void
  control(direction: WatchDirection, kind: 'ping' | 'pong', payload: Frame): void
  /** We send a close frame. */
  closing(code: number, reason: string): void
  /** It is over, also when it was never open. */
  closed(end: WatchedEnd): void
}
