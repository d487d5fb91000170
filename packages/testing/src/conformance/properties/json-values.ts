/** Random JSON values, and smaller ones made from them. */
import type { Random } from '@bus/core'
import { integerBetween } from '../../chaos/seeded-random.ts'

const MAX_DEPTH = 5
const MAX_MEMBERS = 6

/** Numbers where formats go wrong: at the limits of integers, of doubles, and of their notation. */
const NUMBERS = [
  0,
  1,
  -1,
  0.1,
  1e21,
  1e-7,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 53,
  -(2 ** 53),
  Number.MAX_SAFE_INTEGER,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
]

/** Texts where encodings go wrong. */
const TEXTS = [
  '',
  ' ',
  'plain',
  'ß ü é',
  '日本語',
  '😀👩‍👩‍👧',
  'e\u0301',
  '\u0000\u001f\u007f',
  '\u2028\u2029\ufeff',
  '\r\n\t',
  '"\\/',
  'ev 1 order.created\n',
  'x'.repeat(5_000),
]

/** Names of members that a careless receiver trips over. */
const NAMES = [...TEXTS.slice(0, 8), '__proto__', 'constructor', 'toString', 'length', 'type', '0']

/** Any JSON value. Nested ones are as likely as plain ones. */
export function jsonValue(random: Random, depth: number = 0): unknown {
  const kinds = depth < MAX_DEPTH ? 7 : 5
  switch (integerBetween(random, 0, kinds - 1)) {
    case 0:
      return null
    case 1:
      return random() < 0.5
    case 2:
      return pick(random, NUMBERS)
    case 3:
      return (random() - 0.5) * 2 ** integerBetween(random, -60, 60)
    case 4:
      return pick(random, TEXTS)
    case 5:
      return members(random).map(() => jsonValue(random, depth + 1))
    default:
      return objectOf(
        members(random).map(() => [pick(random, NAMES), jsonValue(random, depth + 1)]),
      )
  }
}

/** Values that have less in them: the parts, and the whole without one of its parts. */
export function smaller(value: unknown): unknown[] {
  if (typeof value === 'string' && value.length > 1) {
    return [value.slice(0, value.length >> 1), value.slice(value.length >> 1)]
  }
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return [...value, ...value.map((_, at) => value.toSpliced(at, 1))]
  const entries = Object.entries(value)
  const parts = entries.map(([, part]) => part as unknown)
  return [...parts, ...entries.map((_, at) => objectOf(entries.toSpliced(at, 1)))]
}

/** An object with these members of its own: assigned, `__proto__` would become its prototype. */
function objectOf(entries: readonly (readonly [string, unknown])[]): object {
  const object = {}
  for (const [name, value] of entries) {
    const rest = { enumerable: true, configurable: true, writable: true }
    Object.defineProperty(object, name, { value, ...rest })
  }
  return object
}

function members(random: Random): undefined[] {
  return Array.from({ length: integerBetween(random, 0, MAX_MEMBERS) })
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[integerBetween(random, 0, values.length - 1)] as T
}
