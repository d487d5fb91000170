/** Saying which message is meant. */
import { inspect, isDeepStrictEqual } from 'node:util'
import type { MockMessage } from './mock-message.ts'

/**
 * Which message is meant.
 * - a string: its text is exactly this
 * - a RegExp: its text has a match
 * - a Uint8Array: it is binary with exactly these bytes
 * - an array: its JSON is deeply equal
 * - an object: its JSON is an object, and each member named here is deeply equal in it; other members do not matter.
 *   `undefined` asks for the member's absence
 * - a function: it answers `true`
 */
export type Matcher =
  | string
  | RegExp
  | Uint8Array
  | readonly unknown[]
  | { readonly [member: string]: unknown }
  | ((message: MockMessage) => boolean)

/** Whether this message is the one that is meant. */
export function isMatch(matcher: Matcher, message: MockMessage): boolean {
  if (typeof matcher === 'string') return message.text === matcher
  if (typeof matcher === 'function') return matcher(message)
  // `search` ignores and keeps `lastIndex`, so that a global expression answers the same every time.
  if (matcher instanceof RegExp) return message.text.search(matcher) !== -1
  if (matcher instanceof Uint8Array) {
    return message.kind === 'binary' && Buffer.compare(Buffer.from(message.data), matcher) === 0
  }
  if (Array.isArray(matcher)) return isDeepStrictEqual(message.json, matcher)
  return isRecord(message.json) && differences(matcher as Shape, message.json).length === 0
}

/** The matcher in words, for a message: "a message that matches /x/". */
export function describeMatcher(matcher: Matcher): string {
  if (typeof matcher === 'string') return `the message ${inspect(matcher)}`
  if (typeof matcher === 'function') {
    return `a message that ${matcher.name === '' ? 'the predicate' : matcher.name} accepts`
  }
  if (matcher instanceof RegExp) return `a message that matches ${String(matcher)}`
  if (matcher instanceof Uint8Array) return `a binary message ${inspect(Buffer.from(matcher))}`
  return `a message with ${inspect(matcher, { depth: 4, breakLength: Infinity })}`
}

/** The members that were asked for. */
export interface Shape {
  readonly [member: string]: unknown
}

/** The members of the shape that are not equal in the value. */
export function differences(shape: Shape, value: Shape): readonly string[] {
  return Object.keys(shape).filter((name) => {
    const found = Object.hasOwn(value, name) ? value[name] : undefined
    return !isDeepStrictEqual(found, shape[name])
  })
}

/** Whether a value has members by name. */
export function isRecord(value: unknown): value is Shape {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
