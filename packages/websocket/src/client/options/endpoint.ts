/** The endpoint: which URLs the transport accepts. */
import { ConfigError } from '@bus/core'

/** Scheme, slashes and the beginning of a host. The URL parser alone would take `ws:host` and `ws:///path`, too. */
const WEBSOCKET_URL = /^wss?:\/\/[^/\\?#]/i
/** The URL parser drops these silently. */
const BLANKS = /[\s\p{Cc}]/u

/**
 * The URL in its normal form.
 *
 * @throws `ConfigError` for anything but an absolute `ws:` or `wss:` URL without fragment and credentials.
 */
export function checkUrl(value: unknown): string {
  const text = value instanceof URL ? value.href : value
  const url = parse(text)
  if (url === undefined) {
    throw ConfigError.expected('url', 'to be a ws: or wss: URL with a host', text)
  }
  if (url.href.includes('#')) {
    throw ConfigError.expected('url', 'to have no fragment, which never reaches a server', text)
  }
  if (url.username !== '' || url.password !== '') {
    const form = 'to hold no credentials, which URLs leak into logs: send them in `headers`'
    throw ConfigError.expected('url', form, text)
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
