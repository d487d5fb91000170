/** Options as flat text, one key and one value each: `websocket.reconnect.delay.ms` is `1000`. */
import { ConfigError } from '@bus/core'
import { MAX_TIMEOUT_MS, nearest, printable } from '@bus/core/kit'

/** Flat options, as configuration files and environment variables give them: every value is text, or absent. */
export type Properties = Readonly<Record<string, string | undefined>>

/** What one key accepts, and what holds where it is not given. Made by {@link property}. */
export interface Property<T> {
  /** @throws `ConfigError` naming the key and what was given. */
  readonly read: (key: string, text: string) => NonNullable<T>
  readonly isRequired: boolean
  /** The value of a key that is absent. Of no meaning where the key is required. */
  readonly whenAbsent: T | undefined
}

/** The keys that are known. A key that ends in `.*` is a group: it takes every key with its prefix. */
export type PropertyShape = Readonly<Record<string, Property<unknown>>>

/** What was read: a value for each key, and for each group a record whose names are without the prefix. */
export type PropertyValues<S extends PropertyShape> = {
  readonly [K in keyof S]: S[K] extends Property<infer T>
    ? K extends `${string}.*`
      ? Readonly<Record<string, NonNullable<T>>>
      : T
    : never
}

/**
 * Says what a key of a {@link PropertyShape} accepts.
 *
 * @example
 * ```ts
 * import { property, readProperties } from '@bus/platforms'
 *
 * const options = readProperties(
 *   { 'cache.url': 'redis://localhost', 'cache.ttl': '5m', 'cache.tags.team': 'blue' },
 *   {
 *     'cache.url': property.required(property.text()),
 *     'cache.ttl': property.withDefault(property.duration(), 60_000),
 *     'cache.tags.*': property.text(),
 *   },
 * )
 * console.log(options['cache.ttl'], options['cache.tags.*']['team']) // 300000 blue
 * ```
 */
export const property: {
  /** Text that is not empty, as it is. */
  text(): Property<string | undefined>
  /** An integer within bounds, in decimal digits. */
  integer(bounds?: { readonly min?: number; readonly max?: number }): Property<number | undefined>
  /** A decimal number within bounds. */
  number(bounds?: { readonly min?: number }): Property<number | undefined>
  /** `true` or `false`, in any case. */
  boolean(): Property<boolean | undefined>
  /** Milliseconds: `100ms`, `5s`, `2m`, `1h`, or a bare number of them; not negative. */
  duration(bounds?: { readonly min?: number }): Property<number | undefined>
  /** One of a few words, in any case. */
  choice<const V extends string>(words: readonly V[]): Property<V | undefined>
  /** A key that must be given. */
  required<T>(inner: Property<T>): Property<NonNullable<T>>
  /** A key with a default. */
  withDefault<T>(inner: Property<T>, value: NonNullable<T>): Property<NonNullable<T>>
} = Object.freeze({
  text: () => optional((key, text) => (text === '' ? refuse(key, 'not to be empty', text) : text)),
  integer,
  number,
  boolean: () =>
    optional((key, text) => {
      const word = text.trim().toLowerCase()
      if (word === 'true' || word === 'false') return word === 'true'
      return refuse(key, 'to be true or false', text)
    }),
  duration,
  choice,
  required: <T>(inner: Property<T>) => ({
    ...bare(inner),
    isRequired: true,
    whenAbsent: undefined,
  }),
  withDefault: <T>(inner: Property<T>, value: NonNullable<T>) => ({
    ...bare(inner),
    isRequired: false,
    whenAbsent: value,
  }),
})

/**
 * Reads flat properties. The input is only read.
 *
 * @throws `ConfigError` for a key that is not known (naming the nearest known one), one that is missing, and a value
 * that its key does not accept.
 */
export function readProperties<const S extends PropertyShape>(
  properties: Properties,
  shape: S,
): PropertyValues<S> {
  refuseUnknownProperties(properties, Object.keys(shape))
  const values: [string, unknown][] = []
  for (const [key, expected] of Object.entries(shape)) {
    const value = isGroup(key)
      ? readGroup(properties, shape, key)
      : readOne(expected, key, properties[key])
    values.push([key, value])
  }
  return Object.freeze(Object.fromEntries(values)) as PropertyValues<S>
}

/** Refuses what is no record of text and what has a key that is not known. `known` may hold groups. */
export function refuseUnknownProperties(properties: Properties, known: readonly string[]): void {
  if (!isRecord(properties)) {
    throw ConfigError.expected('properties', 'to be an object of strings', properties)
  }
  for (const [key, value] of Object.entries<unknown>(properties)) {
    if (!isKnown(key, known)) throw unknownProperty(key, known)
    if (value !== undefined && typeof value !== 'string') {
      throw ConfigError.expected(printable(key), 'to be a string', value)
    }
  }
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The error of keys that must be given. */
export function missing(keys: readonly string[]): ConfigError {
  const list = keys.map((key) => `\`${key}\``).join(', ')
  return new ConfigError(keys[0] ?? '', `Expected ${list} to be given`)
}

function readOne(expected: Property<unknown>, key: string, text: string | undefined): unknown {
  if (text !== undefined) return expected.read(key, text)
  if (expected.isRequired) throw missing([key])
  return expected.whenAbsent
}

function readGroup(
  properties: Properties,
  shape: PropertyShape,
  group: string,
): Readonly<Record<string, unknown>> {
  const prefix = group.slice(0, -1)
  const members = Object.entries(properties).flatMap(([key, text]) => {
    const isMember = isIn(key, group) && !Object.hasOwn(shape, key) && text !== undefined
    return isMember ? [[key.slice(prefix.length), shape[group]?.read(key, text)] as const] : []
  })
  return Object.freeze(Object.fromEntries(members))
}

function isGroup(key: string): boolean {
  return key.endsWith('.*')
}

/** Whether the key has the prefix of the group and a name of its own after it. */
function isIn(key: string, group: string): boolean {
  return key.length > group.length - 1 && key.startsWith(group.slice(0, -1))
}

function isKnown(key: string, known: readonly string[]): boolean {
  return known.some((name) => (isGroup(name) ? isIn(key, name) : name === key))
}

function unknownProperty(key: string, known: readonly string[]): ConfigError {
  const near =
    known.find((name) => isGroup(name) && isNearGroup(key, name)) ??
    nearest(
      key,
      known.filter((name) => !isGroup(name)),
    )
  const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean \`${near}\`?`
  const shown = printable(key)
  return new ConfigError(shown, `Unknown property \`${shown}\`: ${hint}`)
}

/** `websocket.header.Accept` is near `websocket.headers.*`: as deep as it is, and the last part of its prefix is near. */
function isNearGroup(key: string, group: string): boolean {
  const wanted = group.slice(0, -2).split('.')
  const parts = key.split('.')
  const [last = ''] = wanted.slice(-1)
  const [given = ''] = parts.slice(wanted.length - 1, wanted.length)
  const isSameBefore = wanted.slice(0, -1).every((part, i) => part === parts[i])
  return isSameBefore && nearest(given, [last]) !== undefined
}

function optional<T>(read: (key: string, text: string) => NonNullable<T>): Property<T | undefined> {
  return Object.freeze({
    read,
    isRequired: false,
    whenAbsent: undefined,
  })
}

/** Reads the same, with nothing said of absence. */
function bare<T>(inner: Property<T>): Pick<Property<NonNullable<T>>, 'read'> {
  return { read: inner.read }
}

function refuse(key: string, form: string, text: string): never {
  throw ConfigError.expected(key, form, text)
}

function integer(
  bounds: { readonly min?: number; readonly max?: number } = {},
): Property<number | undefined> {
  const { min = -Infinity, max = Infinity } = bounds
  const form = `to be an integer${min === -Infinity ? '' : ` ≥ ${min}`}${max === Infinity ? '' : ` and ≤ ${max}`}`
  return optional((key, text) => {
    const value = /^[+-]?\d+$/.test(text.trim()) ? Number(text) : Number.NaN
    const isAccepted = Number.isSafeInteger(value) && value >= min && value <= max
    return isAccepted ? value : refuse(key, form, text)
  })
}

function number(bounds: { readonly min?: number } = {}): Property<number | undefined> {
  const { min = -Infinity } = bounds
  const form = min === -Infinity ? 'to be a number' : `to be a number ≥ ${min}`
  return optional((key, text) => {
    const value = /^[+-]?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : Number.NaN
    return Number.isFinite(value) && value >= min ? value : refuse(key, form, text)
  })
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

function duration(bounds: { readonly min?: number } = {}): Property<number | undefined> {
  const { min = 0 } = bounds
  const range = min === 0 ? '' : `, at least ${min}ms`
  const form = `to be a duration such as 100ms, 5s or 2m${range}`
  return optional((key, text) => {
    const [, digits, unit = 'ms'] =
      /^(\d+(?:\.\d+)?) ?(ms|s|m|h)?$/.exec(text.trim().toLowerCase()) ?? []
    const value = Number(digits ?? Number.NaN) * (UNITS[unit] ?? Number.NaN)
    return value >= min && value <= MAX_TIMEOUT_MS ? value : refuse(key, form, text)
  })
}

function choice<const V extends string>(words: readonly V[]): Property<V | undefined> {
  return optional((key, text) => {
    const word = text.trim().toLowerCase()
    const found = words.find((candidate) => candidate.toLowerCase() === word)
    return found ?? refuse(key, `to be one of ${words.join(', ')}`, text)
  })
}
