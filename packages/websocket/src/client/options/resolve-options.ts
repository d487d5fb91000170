/** The one table of the transport's options: what each accepts, and what holds where it is not given. */

import { inspect } from 'node:util'
import {
  ConfigError,
  backoff,
  type BreakerOptions,
  type MetricsCollector,
  type QueueOptions,
} from '@bus/core'
import {
  REDACTED,
  check,
  checkOptions,
  isTelemetryPrefix,
  redactUrl,
  resolveQueueOptions,
  systemClock,
  type Check,
  type Filled,
} from '@bus/core/kit'
import { busV1 } from '../bus-v1.ts'
import type { HeartbeatProfile } from '../../protocol/heartbeat-profile.ts'
import type { Protocol } from '../../protocol/protocol.ts'
import type { Admission } from './admission.ts'
import { classify } from './classify.ts'
import { checkHeaders, checkUrl, isToken, refuseInsecure } from './endpoint.ts'
import type {
  HeartbeatSettings,
  ReconnectOptions,
  ResolvedOptions,
  ResolvedReconnect,
  ResolvedTelemetry,
  TimeoutOptions,
  TlsFactory,
  TlsOptions,
  UrlFactory,
  WebSocketTransportOptions,
} from './options.ts'

/** The defaults that are plain values. */
export interface Defaults {
  readonly timeouts: Filled<TimeoutOptions>
  readonly reconnect: Filled<Omit<ReconnectOptions, 'backoff' | 'classify'>>
  /** The parameters of the exponential backoff. */
  readonly backoff: { readonly initialMs: number; readonly maxMs: number; readonly jitter: 'full' }
  readonly heartbeat: Filled<HeartbeatSettings>
  readonly breaker: Filled<BreakerOptions>
  readonly queue: Filled<QueueOptions>
  readonly whenDisconnected: 'queue' | 'reject'
  readonly maxAttempts: number
  readonly highWaterMarkBytes: number
  readonly maxMessageBytes: number
  readonly compression: boolean
  readonly allowInsecure: boolean
  readonly unref: boolean
}

const MIB = 1024 * 1024

/** What holds for every option that is not given. */
export const defaults: Defaults = Object.freeze({
  timeouts: Object.freeze({ connectMs: 10_000, bootstrapMs: 10_000, closeMs: 2_000 }),
  reconnect: Object.freeze({
    maxAttempts: Infinity,
    stableAfterMs: 10_000,
    giveUpAfterMs: Infinity,
  }),
  backoff: Object.freeze({ initialMs: 250, maxMs: 5_000, jitter: 'full' }),
  heartbeat: Object.freeze({ intervalMs: 25_000, timeoutMs: 10_000, maxMissed: 1 }),
  breaker: Object.freeze({ failureThreshold: 5, openMs: 60_000, successThreshold: 2 }),
  queue: Object.freeze({
    capacity: 1_000,
    maxBytes: 16 * MIB,
    strategy: 'block',
    warningThreshold: 0.8,
  }),
  whenDisconnected: 'queue',
  maxAttempts: 5,
  highWaterMarkBytes: MIB,
  maxMessageBytes: MIB,
  compression: false,
  allowInsecure: false,
  unref: false,
})

/** One row of the table: checks the option, and returns what holds. */
export interface OptionRow<R> {
  /** @throws `ConfigError` that names `path` */
  (path: string, given: unknown): R
  readonly required?: true
  /** The options within it, by name. */
  readonly members?: object
}

/** One row for each option of `O`. */
export type OptionTable<O, R extends Record<keyof O, unknown>> = {
  readonly [K in keyof Required<O>]: OptionRow<R[K]>
}

function option<R>(accepts: Check, fallback: R): OptionRow<R> {
  return (path, given) => {
    if (given === undefined) return fallback
    accepts(path, given)
    return given as R
  }
}

function group<O extends object, R extends Record<keyof O, unknown> = Filled<O>>(
  members: OptionTable<O, R>,
): OptionRow<R> {
  return Object.assign(
    (path: string, given: unknown) => Object.freeze(resolveAll<O, R>(path, given, members)),
    { members },
  )
}

function switchable<R>(row: OptionRow<R>): OptionRow<false | R> {
  const resolve = (path: string, given: unknown): false | R => {
    if (given === false) return false
    if (given === true) throw ConfigError.expected(path, 'to be false or the options of it', given)
    return row(path, given)
  }
  return Object.assign(resolve, { members: row.members ?? {} })
}

/** Every option of the table, checked and filled in, in a new object. */
function resolveAll<O extends object, R extends Record<keyof O, unknown>>(
  path: string,
  given: unknown,
  table: OptionTable<O, R>,
): R {
  const resolved: Record<string, unknown> = {}
  const rows = Object.entries<OptionRow<unknown>>(table).map(([name, row]) => {
    const resolve: Check = (at, value) => void (resolved[name] = row(at, value))
    return [name, check.required(resolve)] as const
  })
  checkOptions(path, given, Object.fromEntries(rows))
  return resolved as R
}

const positiveMs = check.durationMs({ min: 1 })
const positive = check.integer({ min: 1 })

const material = check.where(
  'to be PEM text or bytes',
  (value) => value instanceof Uint8Array || (typeof value === 'string' && value !== ''),
)

const authorities: OptionRow<TlsOptions['ca']> = (path, given) => {
  if (!Array.isArray(given)) return option<TlsOptions['ca']>(material, undefined)(path, given)
  check.arrayOf(material)(path, given)
  return Object.freeze([...(given as readonly string[])])
}

/** Certificates and keys, checked. */
export const tls: OptionRow<TlsOptions> = group<
  TlsOptions,
  { [K in keyof Required<TlsOptions>]: TlsOptions[K] }
>({
  ca: authorities,
  cert: option(material, undefined),
  key: option(material, undefined),
  servername: option(check.string({ nonEmpty: true }), undefined),
  rejectUnauthorized: option(check.boolean, true),
})

const url: OptionRow<ResolvedOptions['url']> = (path, given) => {
  if (typeof given === 'function') return given as UrlFactory
  if (!Array.isArray(given)) return checkUrl(given)
  check.where('to name at least one URL', () => given.length > 0)(path, given)
  return Object.freeze(given.map((value, n) => checkUrl(value, `${path}[${n}]`)))
}

const subprotocols: OptionRow<readonly string[]> = (path, given = []) => {
  check.arrayOf(check.where('to be an HTTP token', isToken))(path, given)
  const names = given as readonly string[]
  const isUnique = (): boolean => new Set(names).size === names.length
  check.where('to name each subprotocol once', isUnique)(path, given)
  return Object.freeze([...names])
}

const queue: OptionRow<Filled<QueueOptions>> = (path, given) => {
  resolveQueueOptions(given as QueueOptions, path)
  return withDefaults(defaults.queue, given as QueueOptions | undefined)
}

const protocol: OptionRow<Protocol> = (path, given) => {
  if (given === undefined) return busV1()
  check.withMethods('openSession')(path, given)
  return given as Protocol
}

const admission: Check = (path, value) => {
  check.withMethods('admit')(path, value)
  check.boolean(`${path}.hasPriorities`, (value as Partial<Admission>).hasPriorities)
}

/** Not an exact shape: a profile may be an instance with more members. */
const heartbeatProfile: Check = (path, value) => {
  check.withMethods()(path, value)
  const { name, intervalMs, onTick, onFrame } = value as Partial<HeartbeatProfile>
  check.string({ nonEmpty: true })(`${path}.name`, name)
  if (intervalMs !== undefined) positiveMs(`${path}.intervalMs`, intervalMs)
  if (onTick !== undefined) check.func(`${path}.onTick`, onTick)
  if (onFrame !== undefined) check.func(`${path}.onFrame`, onFrame)
}

/** Not an exact shape: a collector may be an instance with more members. */
const collector: Check = (path, value) => {
  check.withMethods()(path, value)
  for (const name of ['onConnection', 'onMessage', 'onError', 'onPublish'] as const) {
    const member = (value as MetricsCollector)[name]
    if (member !== undefined) check.func(`${path}.${name}`, member)
  }
}

/** A row for each option: one without a row, or a row without an option, does not compile. */
export const optionTable: OptionTable<WebSocketTransportOptions, ResolvedOptions> = Object.freeze({
  url: Object.assign(url, { required: true as const }),
  protocol,
  protocols: subprotocols,
  headers: (_path: string, given: unknown = {}) =>
    typeof given === 'function' ? (given as ResolvedOptions['headers']) : checkHeaders(given),
  allowInsecure: option(check.boolean, defaults.allowInsecure),
  tls: Object.assign(
    (path: string, given: unknown) => {
      if (given === undefined || typeof given === 'function') return given as TlsFactory | undefined
      return tls(path, given)
    },
    { members: tls.members ?? {} },
  ),
  agent: option(check.withMethods('addRequest'), undefined),
  unref: option(check.boolean, defaults.unref),
  timeouts: group<TimeoutOptions>({
    connectMs: option(positiveMs, defaults.timeouts.connectMs),
    bootstrapMs: option(positiveMs, defaults.timeouts.bootstrapMs),
    closeMs: option(positiveMs, defaults.timeouts.closeMs),
  }),
  onOpen: option(check.func, undefined),
  reconnect: switchable<ResolvedReconnect>(
    group<ReconnectOptions>({
      backoff: option(check.func, backoff.exponential(defaults.backoff)),
      maxAttempts: option(
        check.integer({ min: 0, allowInfinity: true }),
        defaults.reconnect.maxAttempts,
      ),
      stableAfterMs: option(positiveMs, defaults.reconnect.stableAfterMs),
      giveUpAfterMs: option(
        check.durationMs({ min: 1, allowInfinity: true }),
        defaults.reconnect.giveUpAfterMs,
      ),
      classify: option(check.func, classify),
    }),
  ),
  heartbeat: switchable(
    group<HeartbeatSettings>({
      intervalMs: option(positiveMs, defaults.heartbeat.intervalMs),
      timeoutMs: option(positiveMs, defaults.heartbeat.timeoutMs),
      maxMissed: option(positive, defaults.heartbeat.maxMissed),
    }),
  ),
  applicationHeartbeat: option(heartbeatProfile, undefined),
  idleTimeoutMs: option(positiveMs, undefined),
  breaker: switchable(
    group<BreakerOptions>({
      failureThreshold: option(positive, defaults.breaker.failureThreshold),
      openMs: option(positiveMs, defaults.breaker.openMs),
      successThreshold: option(positive, defaults.breaker.successThreshold),
    }),
  ),
  queue: Object.assign(queue, { members: defaults.queue }),
  admission: option(admission, undefined),
  whenDisconnected: option(check.oneOf(['queue', 'reject']), defaults.whenDisconnected),
  maxAttempts: option(check.integer({ min: 1, allowInfinity: true }), defaults.maxAttempts),
  highWaterMarkBytes: option(positive, defaults.highWaterMarkBytes),
  maxMessageBytes: option(positive, defaults.maxMessageBytes),
  compression: option(check.boolean, defaults.compression),
  telemetry: group<ResolvedTelemetry, ResolvedTelemetry & Record<'prefix' | 'id', unknown>>({
    prefix: option(isTelemetryPrefix, 'bus'),
    id: option(check.string({ nonEmpty: true }), undefined),
  }),
  metrics: option(collector, undefined),
  watch: option(check.withMethods('watch'), undefined),
  clock: option(check.withMethods('now', 'setTimeout', 'clearTimeout'), systemClock),
  random: option(check.func, Math.random),
})

/**
 * Checks everything, fills in the defaults and freezes. The input is only read. An option that is `undefined` counts
 * as absent.
 *
 * @throws `ConfigError` that names the option, what was given (secrets hidden) and what is accepted.
 */
export function resolveOptions(input: unknown): ResolvedOptions {
  const resolved = printRedacted(resolveAll('', input, optionTable))
  refuseContradictions(resolved)
  return Object.freeze(resolved)
}

/** Checks options, as the transport does when it is made. @throws `ConfigError` */
export function parseWebSocketOptions(input: unknown): ResolvedOptions {
  return resolveOptions(input)
}

/** What {@link safeParseWebSocketOptions} found. */
export type ParsedOptions =
  | { readonly ok: true; readonly options: ResolvedOptions }
  | { readonly ok: false; readonly error: ConfigError }

/** Checks options, with the mistake as a value. */
export function safeParseWebSocketOptions(input: unknown): ParsedOptions {
  try {
    return { ok: true, options: resolveOptions(input) }
  } catch (error) {
    if (error instanceof ConfigError) return { ok: false, error }
    throw error
  }
}

/** A frozen copy of `base` with what is given in `options`. */
function withDefaults<T extends object>(base: T, options: object = {}): T {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.freeze({ ...base, ...Object.fromEntries(given) })
}

function refuseContradictions(options: ResolvedOptions): void {
  const { url: where, heartbeat, idleTimeoutMs } = options
  // That of a function is known when an attempt is made.
  const urls = typeof where === 'function' ? [] : [where].flat()
  for (const each of urls) refuseInsecure({ ...options, url: each })
  if (heartbeat === false) return
  const { intervalMs, timeoutMs } = heartbeat
  if (timeoutMs > intervalMs) {
    const form = `to be at most \`heartbeat.intervalMs\` (${intervalMs})`
    throw ConfigError.expected('heartbeat.timeoutMs', form, timeoutMs)
  }
  // A quiet but healthy link would be dropped before a ping could prove that it is.
  if (idleTimeoutMs !== undefined && idleTimeoutMs <= intervalMs) {
    const form = `to be more than \`heartbeat.intervalMs\` (${intervalMs})`
    throw ConfigError.expected('idleTimeoutMs', form, idleTimeoutMs)
  }
}

/** Gives the options their `toJSON` and their look in `console.log`, neither of which is copied by a spread. */
function printRedacted(options: ResolvedOptions): ResolvedOptions {
  const print = (): unknown => printed(options)
  return Object.defineProperties(options, {
    toJSON: { value: print },
    [inspect.custom]: { value: print },
  })
}

function printed(options: ResolvedOptions): unknown {
  const { clock: _clock, random: _random, ...rest } = options
  return plain({
    ...rest,
    url: typeof options.url === 'function' ? options.url : redacted(options.url),
    protocol: options.protocol.name,
    applicationHeartbeat: options.applicationHeartbeat?.name,
    headers: typeof options.headers === 'function' ? options.headers : hideAll(options.headers),
    admission: options.admission === undefined ? undefined : 'admission',
    // A collector may hold anything.
    metrics: options.metrics === undefined ? undefined : 'collector',
    watch: options.watch === undefined ? undefined : 'watcher',
    tls: typeof options.tls === 'object' ? printedTls(options.tls) : options.tls,
    // It may hold the credentials of a proxy.
    agent: options.agent === undefined ? undefined : 'agent',
  })
}

function redacted(urls: string | readonly string[]): unknown {
  return typeof urls === 'string' ? redactUrl(urls) : urls.map(redactUrl)
}

function printedTls({ servername, rejectUnauthorized, ...secret }: TlsOptions): unknown {
  return { servername, rejectUnauthorized, ...hideAll(secret) }
}

function hideAll(record: object): Readonly<Record<string, string>> {
  const given = Object.entries(record).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given.map(([name]) => [name, REDACTED]))
}

/** JSON has no functions and no infinity, and leaves out what is undefined; say so rather than print `null`. */
function plain(value: unknown): unknown {
  if (typeof value === 'function') return '[function]'
  if (value === Infinity) return 'Infinity'
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(plain)
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([name, item]) => [name, plain(item)]),
  )
}
