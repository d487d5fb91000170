/** Headers of the handshake: which names and values may go out. */
import { ConfigError } from '@bus/core'

/** HTTP headers by name. */
export type Headers = Readonly<Record<string, string>>

/** The rule of HTTP for names of headers and of subprotocols (RFC 9110, 5.6.2). */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** What Node lets through as a value: no control character but the tab, nothing beyond Latin-1. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** Headers that the handshake itself sets. */
const OWN = new Set([
  'connection',
  'content-length',
  'sec-websocket-accept',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
  'transfer-encoding',
  'upgrade',
])

/** Whether the text may name a header or a subprotocol. */
export function isToken(text: unknown): text is string {
  return typeof text === 'string' && TOKEN.test(text)
}

/**
 * A frozen copy of the headers.
 *
 * @throws `ConfigError` for a name or value that cannot be sent. Its message shows no value.
 */
export function checkHeaders(headers: unknown): Headers {
  // A Headers or a Map would look empty here, and its headers would be missing without a word.
  if (Object.prototype.toString.call(headers) !== '[object Object]') {
    throw ConfigError.expected('headers', 'to be an object or a function that makes one', headers)
  }
  for (const [name, value] of Object.entries(headers as object)) checkHeader(name, value)
  return Object.freeze({ ...(headers as Headers) })
}

function checkHeader(name: string, value: unknown): void {
  if (!isToken(name)) throw ConfigError.expected('headers', 'to have valid HTTP names', name)
  const path = `headers.${name}`
  if (OWN.has(name.toLowerCase())) {
    const hint = name.toLowerCase() === 'sec-websocket-protocol' ? '; use `protocols`' : ''
    throw new ConfigError(path, `The handshake sets \`${path}\` itself${hint}`)
  }
  // Without the value: whatever the name is, it may be a secret.
  if (typeof value !== 'string') {
    throw new ConfigError(path, `Expected \`${path}\` to be a string, got ${typeof value}`)
  }
  if (!VALUE.test(value)) {
    const form = 'to be a line of Latin-1 text; does it end with a line break?'
    throw new ConfigError(path, `Expected \`${path}\` ${form}`)
  }
}
