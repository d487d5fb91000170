/** A copy of an object that may be shown: for `util.inspect.custom`, `toJSON` and logs. */
import { REDACTED, isSecretName, redactText } from './redact.ts'

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
