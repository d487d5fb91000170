/** Which events a test asks for. */
import { ConfigError, matches, type Event } from '@bus/core'
import { assertPattern } from '@bus/core/kit'

/** A type or pattern, such as `order.*`, or a function. */
export type EventMatcher = string | ((event: Event) => boolean)

/** @throws `ConfigError` for what is neither a pattern nor a function. */
export function isEvent(matcher: EventMatcher): (event: Event) => boolean {
  if (typeof matcher === 'function') return matcher
  if (typeof matcher !== 'string') {
    throw ConfigError.expected('matcher', 'to be a pattern or a function', matcher)
  }
  assertPattern(matcher)
  return ({ type }) => matches(matcher, type)
}
