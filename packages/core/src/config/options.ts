/** Options: a shape says what each of them accepts, and anything else is a `ConfigError` that names it. */

import { ConfigError } from '../contract/errors.ts'
import { printable } from './redact.ts'

/** Accepts a value or throws a `ConfigError` that names `path`. It is not called for an absent option (`undefined`). */
export interface Check {
  (path: string, value: unknown): void
  /** Whether the option must be given. */
  readonly required?: true
}

/** One check for each option of `T`: an option without a check, or a check without an option, does not compile. */
export type Shape<T> = { readonly [K in keyof Required<T>]: Check }

/** Options with every default filled in; an option that may be `undefined` counts as one that may be absent. */
export type Filled<T> = { readonly [K in keyof T]-?: Exclude<T[K], undefined> }

/**
 * Checks an options object, which is only read. `undefined` counts as an empty one.
 *
 * @param path - what the options are part of, dotted: `reconnect`; empty at the top
 * @throws `ConfigError` for a value of another form, a missing option or a name that is not known.
 */
export function checkOptions<T extends object>(
  path: string,
  value: unknown,
  shape: Shape<T>,
): void {
  if (value !== undefined && !isRecord(value)) {
    throw ConfigError.expected(path === '' ? 'options' : path, 'to be an object', value)
  }
  const given: Readonly<Record<string, unknown>> = value ?? {}
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(shape, name)) throw unknownOption(path, name, Object.keys(shape))
  }
  for (const [name, check] of Object.entries<Check>(shape)) {
    const option = given[name]
    if (option !== undefined || check.required === true) check(join(path, name), option)
  }
}

/** The dotted path of an option. */
export function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

/** Objects that can hold options: not arrays, maps, dates or promises that were not awaited. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  const tag = Object.prototype.toString.call(value)
  return tag === '[object Object]' || tag === '[object Module]'
}

function unknownOption(path: string, name: string, known: readonly string[]): ConfigError {
  const near = nearest(name, known)
  const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean \`${near}\`?`
  const full = join(path, printable(name))
  return new ConfigError(full, `Unknown option \`${full}\`: ${hint}`)
}

/** Longer names are not typos, and comparing costs the product of the lengths. */
const MAX_LENGTH = 64

/** The nearest of `known`, or `undefined` when none is near enough to be meant. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > MAX_LENGTH) return undefined
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const away = distance(name.toLowerCase(), candidate.toLowerCase())
    if (away >= bestDistance) continue
    best = candidate
    bestDistance = away
  }
  return best
}

/** Levenshtein distance, one row of the table at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
