/** Hiding secrets wherever a value is shown. */

/** Names whose values are never shown; the value of any header is one. */
const SECRET =
  /authorization|bearer|cookie|credential|jwt|passphrase|passw|private|pfx|pwd|secret|session-?id|signature|token|(api|access|encryption|master|shared|signing)-?key|(^|[._-])(key|auth)$|(^|\.)headers?\./i

/** What stands in place of a secret. */
export const REDACTED = '[redacted]'

/** Whether a name looks like that of a secret: `authorization`, `headers.x-api-key`, `tls.key`. */
export function isSecretName(name: string): boolean {
  return SECRET.test(name)
}

/** The URL with its user, password, fragment and the values of its query hidden. */
export function redactUrl(text: string): string {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return redactLoosely(text)
  }
  // `localhost:8080` and `user:password@host` parse as well, but not as what was meant.
  if (!text.includes('://')) return redactLoosely(text)
  const user = url.username === '' && url.password === '' ? '' : `${REDACTED}@`
  // A name without a value may be the secret itself. Names are encoded again: decoded, they could hold line breaks.
  const query = [...url.searchParams].map(([name, value]) =>
    value === '' ? REDACTED : `${encodeURIComponent(name)}=${REDACTED}`,
  )
  const search = query.length === 0 ? '' : `?${query.join('&')}`
  return `${url.protocol}//${user}${url.host}${url.pathname}${search}`
}

/** Hides what would be the user, the query and the fragment if the text were a URL. */
function redactLoosely(text: string): string {
  const scheme = /^(?:[a-z][a-z0-9+.-]*:)?\/\//i.exec(text)?.[0] ?? ''
  const at = text.lastIndexOf('@')
  const rest = at === -1 ? text.slice(scheme.length) : `${REDACTED}${text.slice(at)}`
  return scheme + rest.replace(/[?#].*$/s, `?${REDACTED}`)
}

/** Text with the secrets hidden that it shows by its form: those of a URL, and an `Authorization` value. */
export function redactText(text: string): string {
  if (/^(?:basic|bearer)\s/i.test(text)) return REDACTED
  return text.includes('//') || text.includes('@') ? redactUrl(text) : text
}

/** How a value is quoted in an error message: short, with its type, secrets hidden. */
export function describeValue(value: unknown, name = ''): string {
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  if (isSecretName(name)) return `${REDACTED} (${type})`
  return `\`${preview(value)}\` (${type})`
}

const MAX_PREVIEW = 80

/** Text from outside for one line of a log: shortened, and without characters that would forge or reorder lines. */
export function printable(text: string): string {
  const safe = text.slice(0, MAX_PREVIEW).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\uFFFD')
  return text.length > MAX_PREVIEW ? `${safe}…` : safe
}

function preview(value: unknown): string {
  let text: string
  if (typeof value === 'string') text = redactText(value)
  else if (typeof value === 'function') text = value.name || 'function'
  else if (typeof value === 'object' && value !== null) text = Array.isArray(value) ? '[…]' : '{…}'
  else text = String(value)
  return printable(text)
}

/**
 * A deep copy with every secret hidden: values under a secret's name, every header's value (the names stay),
 * and the parts of a URL that hold one. What is not there gets no marker.
 *
 * Functions, bytes and instances of classes are named instead of copied, a cycle is cut.
 */
export function redacted(value: object): object {
  return copyMembers(value, '', [])
}

function copyMembers(value: object, owner: string, path: readonly object[]): object {
  const inner = [...path, value]
  if (Array.isArray(value)) return value.map((item: unknown) => copy(item, owner, inner))
  return Object.fromEntries(
    Object.entries(value).map(([name, member]: [string, unknown]) => [
      name,
      copy(member, isHeaders(owner) ? `headers.${name}` : name, inner),
    ]),
  )
}

function copy(value: unknown, name: string, path: readonly object[]): unknown {
  // A flag or an absence says nothing secret, and hiding it would hide whether there is a secret at all.
  if (value === undefined || value === null || typeof value === 'boolean') return value
  if (typeof value === 'function') return '[function]'
  if (isSecretName(name)) return REDACTED
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value)
  if (typeof value !== 'object') return value
  if (path.includes(value)) return '[circular]'
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (value instanceof URL) return redactText(value.href)
  // Only a plain object shows which of its parts are names: a list of pairs, or a Headers, is hidden whole.
  if (isHeaders(name) && !isPlain(value)) return REDACTED
  if (Array.isArray(value) || isPlain(value)) return copyMembers(value, name, path)
  return `[${value.constructor.name}]`
}

function isHeaders(name: string): boolean {
  return /headers?$/i.test(name)
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}
