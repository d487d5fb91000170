/** The checks that shapes of options are made of. */

import { MAX_TIMEOUT_MS } from '../contract/clock.ts'
import { ConfigError } from '../contract/errors.ts'
import { checkOptions, isRecord, join, type Check, type Shape } from './options.ts'
import { printable } from './redact.ts'

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

/** Accepts what behaves as an `AbortSignal`: one of another realm, as test runners make them, is an instance of another class. */
const abortSignal: Check = where(
  'to be an AbortSignal',
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<AbortSignal>).aborted === 'boolean' &&
    typeof (value as Partial<AbortSignal>).addEventListener === 'function' &&
    typeof (value as Partial<AbortSignal>).removeEventListener === 'function',
)

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

/** A check for one place: `form` completes the sentence "Expected `name` …". */
export function where(form: string, accepts: (value: unknown) => boolean): Check {
  return (path, value) => {
    if (!accepts(value)) throw ConfigError.expected(path, form, value)
  }
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

/** The checks of options by their names, for the kit: `check.integer({ min: 1 })`. */
export const check: {
  readonly arrayOf: typeof arrayOf
  readonly boolean: typeof boolean
  readonly durationMs: typeof durationMs
  readonly falseOr: typeof falseOr
  readonly func: typeof func
  readonly abortSignal: typeof abortSignal
  readonly integer: typeof integer
  readonly number: typeof number
  readonly object: typeof object
  readonly oneOf: typeof oneOf
  readonly recordOf: typeof recordOf
  readonly required: typeof required
  readonly string: typeof string
  readonly where: typeof where
  readonly withMethods: typeof withMethods
} = Object.freeze({
  arrayOf,
  boolean,
  durationMs,
  falseOr,
  func,
  abortSignal,
  integer,
  number,
  object,
  oneOf,
  recordOf,
  required,
  string,
  where,
  withMethods,
})
