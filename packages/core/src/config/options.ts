/** Checks of options: a shape says what each option accepts, and anything else is a `ConfigError` that names it. */

import { MAX_TIMEOUT_MS } from '../contract/clock.ts'
import { ConfigError } from '../contract/errors.ts'
import { printable } from './redact.ts'

/** Accepts a value or throws a `ConfigError` that names `path`. An absent option (`undefined`) is not shown to it. */
export interface Check {
  (path: string, value: unknown): void
  /** Whether the option must be given. */
  readonly required?: true
}

/** One check for each option of `T`: an option without a check, or a check without an option, does not compile. */
export type Shape<T> = { readonly [K in keyof Required<T>]: Check }

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

/** An integer within bounds; `Infinity` only where it means "no limit". */
export function integer(
  bounds: { readonly min?: number; readonly max?: number; readonly allowInfinity?: boolean } = {},
): Check {
  const { min = -Infinity, max = Infinity, allowInfinity = false } = bounds
  const form = `to be an integer${range(min, max)}${allowInfinity ? ' or Infinity' : ''}`
  return where(
    form,
    (value) =>
      (allowInfinity && value === Infinity) ||
      (Number.isSafeInteger(value) && within(value, min, max)),
  )
}

/** A finite number within bounds. */
export function number(
  bounds: { readonly min?: number; readonly max?: number; readonly exclusiveMin?: boolean } = {},
): Check {
  const { min = -Infinity, max = Infinity, exclusiveMin = false } = bounds
  return where(
    `to be a finite number${range(min, max, exclusiveMin)}`,
    (value) =>
      Number.isFinite(value) && within(value, min, max) && !(exclusiveMin && value === min),
  )
}

/**
 * Milliseconds that one timer can wait.
 *
 * @param bounds - `allowLong` where the wait is armed again beyond what one timer can do
 */
export function durationMs(
  bounds: {
    readonly min?: number
    readonly allowInfinity?: boolean
    readonly allowLong?: boolean
  } = {},
): Check {
  const { min = 0, allowInfinity = false, allowLong = false } = bounds
  const max = allowLong ? Infinity : MAX_TIMEOUT_MS
  const form = `to be milliseconds${range(min, max)}${allowInfinity ? ' or Infinity' : ''}`
  return where(
    form,
    (value) =>
      (allowInfinity && value === Infinity) || (Number.isFinite(value) && within(value, min, max)),
  )
}

/** `true` or `false`. */
export const boolean: Check = where('to be true or false', (value) => typeof value === 'boolean')

/** A function. */
export const func: Check = where('to be a function', (value) => typeof value === 'function')

/** Text. */
export function string(limits: { readonly nonEmpty?: boolean } = {}): Check {
  const nonEmpty = limits.nonEmpty === true
  return where(
    nonEmpty ? 'to be a non-empty string' : 'to be a string',
    (value) => typeof value === 'string' && !(nonEmpty && value === ''),
  )
}

/** One of a few literal values. */
export function oneOf(values: readonly (string | number | boolean)[]): Check {
  const list = values.map((value) => (typeof value === 'string' ? `'${value}'` : String(value)))
  return where(`to be one of ${list.join(', ')}`, (value) =>
    (values as readonly unknown[]).includes(value),
  )
}

/** An instance of a class. */
export function instance(type: abstract new (...args: never[]) => object): Check {
  return where(`to be an instance of ${type.name}`, (value) => value instanceof type)
}

/** An object that has these methods, whatever its class: for ports such as a clock. */
export function withMethods(...names: readonly string[]): Check {
  const form = `to be an object with ${names.map((name) => `${name}()`).join(', ')}`
  return where(
    form,
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function'),
  )
}

/** An array whose every item passes the check. */
export function arrayOf(check: Check): Check {
  return (path, value) => {
    if (!Array.isArray(value)) throw ConfigError.expected(path, 'to be an array', value)
    for (const [i, item] of value.entries()) check(`${path}[${i}]`, item)
  }
}

/** An object with any names whose every value passes the check: for headers. */
export function recordOf(check: Check): Check {
  return (path, value) => {
    if (!isRecord(value)) throw ConfigError.expected(path, 'to be an object', value)
    for (const [name, item] of Object.entries(value)) check(join(path, printable(name)), item)
  }
}

/** Options within options. */
export function object<T extends object>(shape: Shape<T>): Check {
  return (path, value) => checkOptions(path, value, shape)
}

/** `false` to switch the thing off, else what the check accepts. */
export function falseOr(check: Check): Check {
  return (path, value) => {
    if (value === false) return
    if (value === true) throw ConfigError.expected(path, 'to be false or the options of it', value)
    check(path, value)
  }
}

/** The same check for an option that must be given. */
export function required(check: Check): Check {
  const own: Check = (path, value) => check(path, value)
  return Object.assign(own, { required: true as const })
}

/** A check of one's own: `form` completes the sentence "Expected `name` …". */
export function where(form: string, accepts: (value: unknown) => boolean): Check {
  return (path, value) => {
    if (!accepts(value)) throw ConfigError.expected(path, form, value)
  }
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

/** Objects that can hold options: not arrays, maps, dates or promises somebody forgot to await. */
function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  const tag = Object.prototype.toString.call(value)
  return tag === '[object Object]' || tag === '[object Module]'
}

function within(value: unknown, min: number, max: number): boolean {
  return typeof value === 'number' && value >= min && value <= max
}

function range(min: number, max: number, exclusiveMin = false): string {
  if (min === -Infinity && max === Infinity) return ''
  if (max === Infinity) return exclusiveMin ? ` > ${min}` : ` ≥ ${min}`
  if (min === -Infinity) return ` ≤ ${max}`
  return ` in ${exclusiveMin ? '(' : '['}${min}, ${max}]`
}

function unknownOption(path: string, name: string, known: readonly string[]): ConfigError {
  const near = nearest(name, known)
  const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean \`${near}\`?`
  const full = join(path, printable(name))
  return new ConfigError(full, `Unknown option \`${full}\`: ${hint}`)
}

/** Longer names are no slip of the finger, and comparing costs the product of the lengths. */
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
