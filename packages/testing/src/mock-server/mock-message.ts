/** A message that the mock server received, and the data that it sends. */

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
