/** The grammar of types and patterns: `order.created`, `order.*` (one token), `order.>` (the rest). */
import { ConfigError } from './errors.ts'

/** The most tokens that a type or a pattern may have. */
export const MAX_TOKENS = 16
/** The most bytes (all ASCII, so characters) that a type or a pattern may have. */
export const MAX_TYPE_BYTES = 255

const DOT = 46

/** Letters, digits, `_` and `-`. */
const isTokenChar = (code: number): boolean =>
  (code >= 97 && code <= 122) ||
  (code >= 65 && code <= 90) ||
  (code >= 48 && code <= 57) ||
  code === 95 ||
  code === 45

/** Whether the text is a valid event type: 1 to 16 dot-separated tokens of `[A-Za-z0-9_-]`, at most 255 bytes. */
export function isType(text: unknown): text is string {
  if (typeof text !== 'string' || text.length === 0 || text.length > MAX_TYPE_BYTES) return false
  let tokens = 1
  let tokenLength = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === DOT) {
      if (tokenLength === 0) return false
      tokenLength = 0
      tokens++
    } else if (isTokenChar(code)) tokenLength++
    else return false
  }
  return tokenLength > 0 && tokens <= MAX_TOKENS
}

/** Whether the text is a valid pattern: a type whose tokens may also be `*` and whose last token may be `>`. */
export function isPattern(text: unknown): text is string {
  if (typeof text !== 'string' || text.length === 0 || text.length > MAX_TYPE_BYTES) return false
  const tokens = text.split('.')
  return (
    tokens.length <= MAX_TOKENS &&
    tokens.every(
      (token, i) => token === '*' || (token === '>' && i === tokens.length - 1) || isType(token),
    )
  )
}

/** @throws `ConfigError` naming the value and the accepted form. */
export function assertType(text: unknown): asserts text is string {
  if (isType(text)) return
  throw ConfigError.expected(
    'type',
    'to be 1 to 16 tokens of [A-Za-z0-9_-] separated by dots, at most 255 bytes',
    text,
  )
}

/** @throws `ConfigError` naming the value and the accepted form. */
export function assertPattern(text: unknown): asserts text is string {
  if (isPattern(text)) return
  throw ConfigError.expected(
    'pattern',
    'to be a type whose tokens may be * (one token) or, at the end, > (one token or more)',
    text,
  )
}
