/** The handshake of a client, as the mock server saw it. */
import type { IncomingMessage } from 'node:http'

/** What a client asked for in its handshake. */
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
