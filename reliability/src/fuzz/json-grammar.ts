/** JSON by grammar: mostly well-formed, with the keys, numbers and texts that hurt. */
import type { Choice } from './choice.ts'

const KEYS = [
  'id',
  'event_type',
  'type',
  'payload',
  'metadata',
  'timestamp',
  'source',
  'v',
  'subs',
  '__proto__',
  'constructor',
  'prototype',
  'toJSON',
  '',
] as const

const NUMBERS = [
  '0',
  '1',
  '-1',
  '-0',
  '1.5',
  '1e3',
  '1e999',
  '9007199254740993',
  '01',
  'NaN',
  '-',
  '1777887000000',
] as const

const TEXTS = [
  '""',
  '"a"',
  '"order.created"',
  '"\\u0000"',
  '"\\ud800"',
  '"\\u202e"',
  '"é"',
  '"\\x"',
  '"a\tb"',
  '"\u0007"',
  '"',
] as const

const WORDS = ['true', 'false', 'null', 'undefined', 'tru', '[]', '{}', '[', '}'] as const

/** A value, at most so deep. */
export function jsonValue(choice: Choice, depth = 4): string {
  const kind = choice.below(depth > 0 ? 12 : 8)
  if (kind < 3) return choice.of(NUMBERS)
  if (kind < 6) return choice.of(TEXTS)
  if (kind < 8) return choice.of(WORDS)
  const inner = (): string => jsonValue(choice, depth - 1)
  if (kind < 10) return `[${choice.some(0, 3, inner).join(',')}]`
  return `{${choice.some(0, 3, () => `"${choice.of(KEYS)}":${inner()}`).join(',')}}`
}

/** An object that is well-formed, whatever it means. */
function payload(choice: Choice): string {
  return choice.of(['1', '"a"', 'null', '{"total":12.5}', '[1,2]', '{"__proto__":{"a":1}}'])
}

/** An event of the plain wire: whole, with a member too few or of another kind, or something else. */
export function plainEvent(choice: Choice): string {
  if (choice.chance(0.2)) return jsonValue(choice)
  if (choice.chance(0.01)) return nested(choice)
  const members = [
    `"id":${choice.chance(0.9) ? '"i-1"' : jsonValue(choice, 1)}`,
    `"event_type":${choice.chance(0.8) ? '"order.created"' : jsonValue(choice, 1)}`,
    `"payload":${choice.chance(0.7) ? payload(choice) : jsonValue(choice, 2)}`,
    `"metadata":${choice.chance(0.8) ? '{"timestamp":1}' : jsonValue(choice, 2)}`,
  ]
  if (choice.chance(0.1)) members.splice(choice.below(members.length), 1)
  if (choice.chance(0.1)) members.push(`"${choice.of(KEYS)}":${jsonValue(choice, 2)}`)
  return `{${members.join(',')}}`
}

/** The body of an event of `bus.v1`, which the hub does not look into. */
export function eventBody(choice: Choice): string {
  if (choice.chance(0.7)) return `{"payload":${payload(choice)},"metadata":{"timestamp":1}}`
  return choice.chance(0.98) ? `{"payload":${jsonValue(choice)}}` : jsonValue(choice)
}

/** Deep or long, and bounded. */
function nested(choice: Choice): string {
  const levels = choice.of([63, 64, 65, 1_000, 20_000])
  return choice.chance(0.5)
    ? '['.repeat(levels) + ']'.repeat(levels)
    : `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
}
