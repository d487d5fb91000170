/** One client's connection, as a test sees it. */
import type { MockData, MockMessage } from './mock-message.ts'
import type { MockRequest } from './mock-request.ts'
import type { WaitLimits } from '../waits.ts'

/** How a connection ended. */
export interface MockClose {
  /** The code of the client's close frame; 1005 if it named none, 1006 if there was no frame. */
  readonly code: number
  readonly reason: string
  /** Whether there was a close frame. */
  readonly wasClean: boolean
}

/** Limits of a wait. */
export type MockWaitOptions = WaitLimits

/** A connection that a client made, open or over. */
export interface MockConnection {
  /** Its position in `server.connections`. */
  readonly index: number
  /** The handshake that made it. */
  readonly request: MockRequest
  /** The subprotocol that was agreed on, empty if none. */
  readonly subprotocol: string
  /** The messages that came over it, in order. */
  readonly received: readonly MockMessage[]
  /** Whether messages can be sent. */
  readonly isOpen: boolean
  /** How it ended; `undefined` while it has not. */
  readonly closed: MockClose | undefined
  /** What broke it: a socket's error, or a frame against the protocol. */
  readonly error: Error | undefined
  /** How many pings came. */
  readonly pings: number
  /** How many pongs came. */
  readonly pongs: number
  /** Bytes that were sent and that the system has not taken over yet: the client reads slowly. */
  readonly bufferedAmount: number
  /** Sends a message, if the connection is open; a value that is neither text nor bytes leaves as JSON. */
  send(data: MockData): boolean
  /** Sends a ping, if the connection is open. */
  ping(data?: string | Uint8Array): boolean
  /** Begins the closing handshake, if the connection is open. */
  close(code?: number, reason?: string): boolean
  /** Breaks the connection with a TCP reset. */
  reset(): void
  /** Writes bytes to the socket as they are, past the WebSocket framing. */
  sendRaw(bytes: Uint8Array): void
  /** Resolves when the connection is over, also if it was before the call. */
  waitForClose(options?: MockWaitOptions): Promise<MockClose>
}
