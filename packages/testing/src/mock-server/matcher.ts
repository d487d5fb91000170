/** Matching received messages, and describing those that nearly matched when a test fails. */
import { inspect, isDeepStrictEqual } from 'node:util'
import type { MockMessage } from './mock-connection.ts'

/**
 * Which message is meant.
 * - a string: its text is exactly this
 * - a RegExp: its text has a match
 * - a Uint8Array: it is binary with exactly these bytes
 * - an array: its JSON is deeply equal
 * - an object: its JSON is an object, and each member named here is deeply equal in it; other members do not matter.
 *   `undefined` matches a missing member
 * - a function: it answers `true`
 */
export type MessageMatcher =
  | string
  | RegExp
  | Uint8Array
  | readonly unknown[]
  | { readonly [member: string]: unknown }
  | ((message: MockMessage) => boolean)

/** Whether this message is the one that is meant. */
export function isMatch(matcher: MessageMatcher, message: MockMessage): boolean {
  if (typeof matcher === 'string') return message.text === matcher
  if (typeof matcher === 'function') return matcher(message)
  // `search` ignores and keeps `lastIndex`, so that a global expression answers the same every time.
  if (matcher instanceof RegExp) return message.text.search(matcher) !== -1
  if (matcher instanceof Uint8Array) {
    return message.kind === 'binary' && Buffer.compare(Buffer.from(message.data), matcher) === 0
  }
  if (Array.isArray(matcher)) return isDeepStrictEqual(message.json, matcher)
  return isRecord(message.json) && differences(matcher as JsonMembers, message.json).length === 0
}

/** The matcher in words, for a message: "a message that matches /x/". */
export function describeMatcher(matcher: MessageMatcher): string {
  if (typeof matcher === 'string') return `the message ${inspect(matcher)}`
  if (typeof matcher === 'function') {
    return `a message that ${matcher.name === '' ? 'the predicate' : matcher.name} accepts`
  }
  if (matcher instanceof RegExp) return `a message that matches ${String(matcher)}`
  if (matcher instanceof Uint8Array) return `a binary message ${inspect(Buffer.from(matcher))}`
  return `a message with ${inspect(matcher, { depth: 4, breakLength: Infinity })}`
}

/** Members of a JSON object by name. */
interface JsonMembers {
  readonly [member: string]: unknown
}

/** The members of the shape that are not equal in the value. */
function differences(shape: JsonMembers, value: JsonMembers): readonly string[] {
  return Object.keys(shape).filter((name) => {
    const found = Object.hasOwn(value, name) ? value[name] : undefined
    return !isDeepStrictEqual(found, shape[name])
  })
}

/** Whether a value has members by name. */
function isRecord(value: unknown): value is JsonMembers {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const MAX_LISTED = 5
const MAX_PREVIEW = 200

/** What was received instead, the closest first. */
export function describeNearMisses(
  matcher: MessageMatcher,
  received: readonly MockMessage[],
): string {
  if (received.length === 0) return 'nothing was received'
  const ranked = received
    .map((message, at) => ({ message, at, ...compare(matcher, message) }))
    .toSorted((a, b) => b.closeness - a.closeness || b.at - a.at)
  const lines = ranked.slice(0, MAX_LISTED).map(({ message, at, hint }) => {
    const where = `#${at} on connection ${message.connection}`
    return `  ${where}: ${preview(message)}${hint === '' ? '' : ` (${hint})`}`
  })
  const more = ranked.length - lines.length
  if (more > 0) lines.push(`  and ${more} more`)
  const count = received.length === 1 ? '1 message was' : `${received.length} messages were`
  return `${count} received, the closest first\n${lines.join('\n')}`
}

/** How close it came, from 0 to 1, and what was different. */
function compare(
  matcher: MessageMatcher,
  message: MockMessage,
): { closeness: number; hint: string } {
  if (typeof matcher === 'string') {
    const same = commonPrefix(matcher, message.text)
    const length = Math.max(matcher.length, message.text.length, 1)
    return { closeness: same / length, hint: `differs from character ${same}` }
  }
  if (matcher instanceof Uint8Array) {
    return message.kind === 'text'
      ? { closeness: 0, hint: 'text, not binary' }
      : { closeness: 1, hint: '' }
  }
  if (typeof matcher === 'function' || matcher instanceof RegExp || Array.isArray(matcher)) {
    return { closeness: 0, hint: '' }
  }
  if (!isRecord(message.json)) return { closeness: 0, hint: 'not a JSON object' }
  const json = message.json
  const shape = matcher as { readonly [member: string]: unknown }
  const wrong = differences(shape, json)
  const hint = wrong.map((name) => `\`${name}\` is ${brief(inspect(json[name]))}`).join(', ')
  const expected = Math.max(Object.keys(shape).length, 1)
  return { closeness: (expected - wrong.length + 1) / (expected + 1), hint }
}

function commonPrefix(a: string, b: string): number {
  let same = 0
  while (same < a.length && a[same] === b[same]) same++
  return same
}

function preview({ kind, data, text }: MockMessage): string {
  if (kind === 'text') return brief(text)
  return `binary ${brief(Buffer.from(data).toString('hex'))}`
}

function brief(text: string): string {
  return text.length > MAX_PREVIEW ? `${text.slice(0, MAX_PREVIEW)}…` : text
}
