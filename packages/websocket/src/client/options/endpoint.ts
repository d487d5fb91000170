/** The endpoint: which URLs and headers the transport accepts, and that none shows credentials in the clear. */

import { ConfigError } from '@bus/core'
import { REDACTED, isSecretName } from '@bus/core/kit'
import { isPlainProtocol } from '../../protocol/plain-session.ts'
import type { Headers, ResolvedOptions, TlsFactory, TlsOptions } from './options.ts'

/** Scheme, slashes and the beginning of a host. The URL parser alone would take `ws:host` and `ws:///path`, too. */
const WEBSOCKET_URL = /^wss?:\/\/[^/\\?#]/i
/** The URL parser drops these silently. */
const BLANKS = /[\s\p{Cc}]/u

/**
 * The URL in its normal form.
 *
 * @throws `ConfigError` for anything but an absolute `ws:` or `wss:` URL without fragment and credentials.
 */
export function checkUrl(value: unknown, path: string = 'url'): string {
  const text = value instanceof URL ? value.href : value
  const url = parse(text)
  if (url === undefined) {
    throw ConfigError.expected(path, 'to be a ws: or wss: URL with a host', text)
  }
  if (url.href.includes('#')) {
    throw ConfigError.expected(path, 'to have no fragment, which never reaches a server', text)
  }
  if (url.username !== '' || url.password !== '') {
    const form = 'to hold no credentials, which URLs leak into logs: send them in `headers`'
    throw ConfigError.expected(path, form, text)
  }
  return url.href
}

/** Whether the URL asks for TLS. */
export function isSecure(url: string): boolean {
  return url.startsWith('wss:')
}

function parse(text: unknown): URL | undefined {
  if (typeof text !== 'string' || !WEBSOCKET_URL.test(text) || BLANKS.test(text)) return undefined
  return URL.canParse(text) ? new URL(text) : undefined
}

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
    throw new ConfigError(path, `Expected no \`${path}\`: the handshake sets it${hint}`)
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

/** Shorter texts are no secrets, and hiding them would make the rest unreadable. */
const MIN_LENGTH = 6

/** Hides the values of these headers, word by word, and of the URL's query, in any text. */
export function scrubber(url: string, headers: Headers): (text: string) => string {
  const { search, searchParams } = new URL(url)
  const values = [
    ...searchParams.values(),
    ...search.slice(1).split(/[&=]/),
    ...Object.values(headers).flatMap((value) => [value, ...value.split(/[\s,;=]+/)]),
  ]
  const secrets = [...new Set(values)].filter((value) => value.length >= MIN_LENGTH)
  // The longest first: a secret may be a part of another.
  secrets.sort((a, b) => b.length - a.length)
  return (text) => secrets.reduce((rest, secret) => rest.replaceAll(secret, REDACTED), text)
}

/** Where one attempt goes, and what it shows there. */
export interface Endpoint extends Pick<ResolvedOptions, 'allowInsecure' | 'headers' | 'protocol'> {
  readonly url: string
  readonly tls: TlsOptions | TlsFactory | undefined
}

/** Names of this machine, in the form that a parsed URL has. */
const THIS_MACHINE = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/**
 * @throws `ConfigError` when it has certificates for a URL without TLS, or sends credentials without encryption to another machine
 * and that is not allowed. Values are not shown.
 */
export function refuseInsecure(endpoint: Endpoint): void {
  const { url, tls, headers, protocol } = endpoint
  if (tls !== undefined && !isSecure(url)) {
    throw new ConfigError('tls', 'Expected `tls` only with a wss: URL, got a ws: URL')
  }
  if (!isExposed(endpoint)) return
  const names = [...new URL(url).searchParams.keys()]
  if (names.some((name) => isSecretName(name))) throw exposed('url')
  const secret = Object.keys(headers).find((name) => isSecretName(name))
  if (secret !== undefined) throw exposed(`headers.${secret}`)
  const authenticates = isPlainProtocol(protocol) && protocol.authenticate !== undefined
  if (protocol.credentials !== undefined || authenticates) throw exposed('protocol')
}

/** Without TLS, and not to this machine. */
function isExposed({ url, allowInsecure }: Endpoint): boolean {
  return !allowInsecure && !isSecure(url) && !THIS_MACHINE.test(new URL(url).hostname)
}

function exposed(path: string): ConfigError {
  const advice = 'use a wss: URL, or set `allowInsecure: true` on a network that is yours alone'
  return new ConfigError(path, `Expected no credentials over ws: to another machine: ${advice}`)
}
