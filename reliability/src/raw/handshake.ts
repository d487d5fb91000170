/** The request that opens a WebSocket, as text. */

/** What differs from a handshake as it should be. */
export interface HandshakeParts {
  readonly method?: string
  readonly target?: string
  readonly version?: string
  /** Lines in place of those with these names, in lower case; `undefined` leaves the line out. */
  readonly replace?: Readonly<Record<string, string | undefined>>
  /** More lines. */
  readonly lines?: readonly string[]
  /** Offers `bus.v1`. @default true */
  readonly busV1?: boolean
}

/** Nothing depends on it, so it may always be the same. */
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

/** The bytes of the request, its empty line included. */
export function handshake(parts: HandshakeParts = {}): string {
  const { method = 'GET', target = '/', version = 'HTTP/1.1', replace = {}, lines = [] } = parts
  const usual: Record<string, string> = {
    host: 'Host: 127.0.0.1',
    connection: 'Connection: Upgrade',
    upgrade: 'Upgrade: websocket',
    'sec-websocket-version': 'Sec-WebSocket-Version: 13',
    'sec-websocket-key': `Sec-WebSocket-Key: ${KEY}`,
  }
  if (parts.busV1 !== false) usual['sec-websocket-protocol'] = 'Sec-WebSocket-Protocol: bus.v1'
  const kept = Object.entries(usual).map(([name, line]) => (name in replace ? replace[name] : line))
  const all = [...kept.filter((line) => line !== undefined), ...lines]
  return `${[`${method} ${target} ${version}`, ...all].join('\r\n')}\r\n\r\n`
}

/** The first line of a client. */
export function hello(members: Readonly<Record<string, unknown>> = {}): string {
  return `hello ${JSON.stringify({ v: 1, subs: [], ...members })}`
}
