/** A connection to the mock server as a test sees it: its handshake, its messages and its close. */
import type { IncomingMessage } from 'node:http'
import { ConfigError } from '@bus/core'
import type { WaitForOptions } from '../waits.ts'

/** How a connection ended. */
export interface MockClose {
  /** The code of the client's close frame; 1005 if it named none, 1006 if there was no frame. */
  readonly code: number
  readonly reason: string
  /** Whether there was a close frame. */
  readonly wasClean: boolean
}

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
  waitForClose(options?: WaitForOptions): Promise<MockClose>
}

/** What a client sent in its handshake. */
export interface MockRequest {
  readonly method: string
  /** The request target: path and query. */
  readonly url: string
  /** The path without its query. */
  readonly path: string
  /** By lower-case name; a header that came several times is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** The subprotocols that were offered, in their order. */
  readonly subprotocols: readonly string[]
}

/** The handshake as plain data, which outlives its socket. */
export function toRequest(incoming: IncomingMessage): MockRequest {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  const url = incoming.url ?? '/'
  const offered = headers['sec-websocket-protocol'] ?? ''
  return Object.freeze({
    method: incoming.method ?? '',
    url,
    path: url.split('?', 1)[0] ?? '/',
    headers: Object.freeze(headers),
    subprotocols: Object.freeze(
      offered
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    ),
  })
}

/** What the server sends: text, bytes, or a value that leaves as JSON text. */
export type MockData = string | Uint8Array | object

/** One message from a client, as it came over the wire. */
export interface MockMessage {
  /** Whether it came as a text or as a binary message. */
  readonly kind: 'text' | 'binary'
  /** What was sent: a string for text, bytes for binary. */
  readonly data: string | Uint8Array
  /** The message as text; for binary its bytes read as UTF-8. */
  readonly text: string
  /** The text parsed as JSON, `undefined` where it is none. */
  readonly json: unknown
  /** Which connection it came over: its position in `server.connections`. */
  readonly connection: number
}

/** The message for what the socket delivered. The bytes are copied. */
export function toMessage(bytes: Buffer, isBinary: boolean, connection: number): MockMessage {
  const text = bytes.toString('utf8')
  return Object.freeze({
    kind: isBinary ? 'binary' : 'text',
    data: isBinary ? new Uint8Array(bytes) : text,
    text,
    json: parse(text),
    connection,
  })
}

/** The frame's content for what a test wants to send. */
export function toFrame(data: MockData): string | Uint8Array {
  return typeof data === 'string' || data instanceof Uint8Array ? data : JSON.stringify(data)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // literal frames need not be JSON
  }
}

const MAX_REASON_BYTES = 123

/** Throws unless the code and reason may stand in a close frame. */
export function assertCloseFrame(code: number, reason: string): void {
  if (!isCloseCode(code)) {
    throw ConfigError.expected('code', 'to be a close code that may be sent', code)
  }
  if (Buffer.byteLength(reason) > MAX_REASON_BYTES) {
    throw ConfigError.expected('reason', `to be at most ${MAX_REASON_BYTES} bytes`, reason)
  }
}

/** Whether a close frame may carry this code: 1004 to 1006 and 1015 are reserved: they describe a close that had no such frame. */
export function isCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false
  if (code >= 3000 && code <= 4999) return true
  return code >= 1000 && code <= 1014 && !(code >= 1004 && code <= 1006)
}
