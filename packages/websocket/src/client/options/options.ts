/** The options of the WebSocket transport, what each means to the caller, and what holds where it is not given. */

import {
  ConfigError,
  backoff,
  AuthError,
  BusError,
  HandshakeError,
  type BackoffPolicy,
  type BreakerOptions,
  type Clock,
  type MetricsCollector,
  type QueueOptions,
  type Random,
  type TelemetryOptions,
} from '@bus/core'
import {
  check,
  resolveQueueOptions,
  checkOptions,
  systemClock,
  isTelemetryPrefix,
  isSecretName,
  REDACTED,
  redactUrl,
  type Check,
  type Shape,
} from '@bus/core/kit'
import { busV1 } from '../bus-v1.ts'
import { closeCode } from '../../protocol/close-codes.ts'
import type { HeartbeatProfile } from '../../protocol/heartbeat-profile.ts'
import { isPlainProtocol } from '../../protocol/plain-session.ts'
import type { Frame, PlainProtocol, Protocol } from '../../protocol/protocol.ts'
import type { Admission } from './admission.ts'
import type { ConnectionWatcher } from './connection-watch.ts'
import { checkUrl, checkHeaders, isToken, isSecure, type Headers } from './endpoint.ts'
import { inspect } from 'node:util'

/** How one transport is known on `node:diagnostics_channel`. */
export interface TransportTelemetryOptions extends TelemetryOptions {
  /** Carried by everything that this transport tells, to tell it from others. @default a new UUID */
  readonly id?: string | undefined
}

/** Accepts {@link TransportTelemetryOptions}. */
export const checkTelemetry: Check = (path, value) =>
  checkOptions<TransportTelemetryOptions>(path, value, {
    prefix: isTelemetryPrefix,
    id: check.string({ nonEmpty: true }),
  })

/** Accepts a collector: not an exact shape, for it may be an instance that keeps something to itself. */
export const checkCollector: Check = (path, value) => {
  check.withMethods()(path, value)
  const collector = value as MetricsCollector
  for (const name of ['onConnection', 'onMessage', 'onError', 'onPublish'] as const) {
    if (collector[name] !== undefined) check.func(`${path}.${name}`, collector[name])
  }
}

/** With the default prefix; an id that is not given is made by each transport. */
export interface ResolvedTelemetry {
  readonly prefix: string
  readonly id: string | undefined
}

/** Fills in the defaults. */
export function resolveTelemetry({
  prefix = 'bus',
  id,
}: TransportTelemetryOptions = {}): ResolvedTelemetry {
  return Object.freeze({ prefix, id })
}

/** The statuses below 500 that speak of a moment and not of the request. */
const TRANSIENT_STATUSES = new Set([408, 425, 429])
const AUTH_STATUSES = new Set([401, 403])

/** Codes of Node and OpenSSL that say the server's certificate is not to be trusted. */
const CERTIFICATE = /^(CERT_|ERR_TLS_CERT_|ERROR_IN_CERT_|UNABLE_TO_(GET|VERIFY|DECRYPT|DECODE)_)/
const CERTIFICATE_CODES = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
])

/** How far causes are followed, should they form a circle. */
const MAX_DEPTH = 8

export type Verdict = 'transient' | 'fatal'

/**
 * The default verdict on a failed attempt.
 *
 * Fatal: the server answered with a status below 500 other than 408, 425 and 429; its certificate is not trusted;
 * or the error, or one that caused it, says of itself that it is not `retryable`, such as a mistake in the options
 * or a server without our subprotocol. All else, also what is not known, is transient.
 */
export function classify(error: unknown): Verdict {
  return isFatal(error, 0) ? 'fatal' : 'transient'
}

/** Whether the server refused our credentials: fresh ones may be accepted. */
export function isAuthRefusal(error: unknown): boolean {
  if (error instanceof HandshakeError) return AUTH_STATUSES.has(error.status)
  return error instanceof AuthError
}

/** What a link that ended with this close code calls for, by the table of close codes. */
export function closePolicy(code: number): 'reconnect' | 'stop' {
  return closeCode(code).retryable ? 'reconnect' : 'stop'
}

function isFatal(error: unknown, depth: number): boolean {
  if (!(error instanceof Error) || depth > MAX_DEPTH) return false
  if (error instanceof HandshakeError) return isFatalStatus(error.status)
  if (error instanceof BusError && !error.retryable) return true
  if (isCertificateCode((error as NodeJS.ErrnoException).code)) return true
  // Several addresses were tried, and one that may come back is enough.
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.every((inner) => isFatal(inner, depth + 1))
  }
  return isFatal(error.cause, depth + 1)
}

function isFatalStatus(status: number): boolean {
  return status < 500 && !TRANSIENT_STATUSES.has(status)
}

function isCertificateCode(code: unknown): boolean {
  return typeof code === 'string' && (CERTIFICATE.test(code) || CERTIFICATE_CODES.has(code))
}

const positiveMs = check.durationMs({ min: 1 })
const positive = check.integer({ min: 1 })

const material = check.where(
  'to be PEM text or bytes',
  (value) => value instanceof Uint8Array || (typeof value === 'string' && value !== ''),
)
const materials: Check = (path, value) =>
  (Array.isArray(value) ? check.arrayOf(material) : material)(path, value)

const tlsShape: Shape<TlsOptions> = {
  ca: materials,
  cert: material,
  key: material,
  passphrase: check.string(),
  pfx: material,
  servername: check.string({ nonEmpty: true }),
  rejectUnauthorized: check.boolean,
  minVersion: check.oneOf(['TLSv1.2', 'TLSv1.3']),
}

const timeoutsShape: Shape<TimeoutOptions> = {
  connectMs: positiveMs,
  bootstrapMs: positiveMs,
  closeMs: positiveMs,
}

const reconnectShape: Shape<ReconnectOptions> = {
  backoff: check.func,
  maxAttempts: check.integer({ min: 0, allowInfinity: true }),
  stableAfterMs: positiveMs,
  giveUpAfterMs: check.durationMs({ min: 1, allowInfinity: true }),
  classify: check.func,
  closePolicy: check.func,
  retry: check.func,
  // Whatever the function wants.
  retryState: () => {},
}

const heartbeatShape: Shape<HeartbeatSettings> = {
  intervalMs: positiveMs,
  timeoutMs: positiveMs,
  maxMissed: positive,
}

const breakerShape: Shape<BreakerOptions> = {
  failureThreshold: positive,
  openMs: positiveMs,
  successThreshold: positive,
}

const queueCheck: Check = (path, value) => {
  resolveQueueOptions(value as QueueOptions, path)
}

const admissionCheck: Check = (path, value) => {
  check.withMethods('admit')(path, value)
  check.boolean(`${path}.hasPriorities`, (value as Partial<Admission>).hasPriorities)
}

const headersCheck: Check = (_path, value) => {
  if (typeof value !== 'function') checkHeaders(value)
}

const protocolsCheck: Check = (path, value) => {
  check.arrayOf(check.where('to be an HTTP token', isToken))(path, value)
  const unique = check.where('to name each subprotocol once', (list) => {
    const names = list as readonly string[]
    return new Set(names).size === names.length
  })
  unique(path, value)
}

/** Not an exact shape: a profile may be an instance that keeps something to itself. */
const profile: Check = (path, value) => {
  check.withMethods()(path, value)
  const { name, intervalMs, onTick, onFrame } = value as Partial<HeartbeatProfile>
  check.string({ nonEmpty: true })(`${path}.name`, name)
  if (intervalMs !== undefined) positiveMs(`${path}.intervalMs`, intervalMs)
  if (onTick !== undefined) check.func(`${path}.onTick`, onTick)
  if (onFrame !== undefined) check.func(`${path}.onFrame`, onFrame)
}

/** One check for each option. */
export const optionShape: Shape<WebSocketTransportOptions> = {
  url: check.required((_path, value) => void checkUrl(value)),
  protocol: check.withMethods('openSession'),
  protocols: protocolsCheck,
  headers: headersCheck,
  allowInsecure: check.boolean,
  tls: check.object(tlsShape),
  timeouts: check.object(timeoutsShape),
  onOpen: check.func,
  reconnect: check.falseOr(check.object(reconnectShape)),
  heartbeat: check.falseOr(check.object(heartbeatShape)),
  applicationHeartbeat: profile,
  idleTimeoutMs: positiveMs,
  breaker: check.falseOr(check.object(breakerShape)),
  queue: queueCheck,
  admission: admissionCheck,
  whenDisconnected: check.oneOf(['queue', 'reject']),
  maxAttempts: check.integer({ min: 1, allowInfinity: true }),
  highWaterMarkBytes: positive,
  maxMessageBytes: positive,
  compression: check.boolean,
  telemetry: checkTelemetry,
  metrics: checkCollector,
  watch: check.withMethods('watch'),
  clock: check.withMethods('now', 'setTimeout', 'clearTimeout'),
  random: check.func,
}

export type { Headers } from './endpoint.ts'

/** Makes the headers of one attempt, for instance with a token that is still valid. */
export type HeaderFactory = (context: {
  /** 1 for the first attempt since the last stable connection. */
  readonly attempt: number
  /** Aborted when the attempt's deadline passes or the transport closes. */
  readonly signal: AbortSignal
}) => Headers | Promise<Headers>

/** Certificates and keys, as in `tls.createSecureContext`; PEM text or bytes. */
export interface TlsOptions {
  /** Certificate authorities to trust instead of the well-known ones. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[]
  /** Our certificate, where the server asks for one. */
  readonly cert?: string | Uint8Array
  /** The private key of {@link TlsOptions.cert}. */
  readonly key?: string | Uint8Array
  /** Opens `key` or `pfx`. */
  readonly passphrase?: string
  /** Certificate and key in one PKCS #12 file. */
  readonly pfx?: string | Uint8Array
  /** The name that the server's certificate must carry. @default the host of the URL */
  readonly servername?: string
  /** `false` accepts any certificate, so anybody on the way can read and change everything. @default true */
  readonly rejectUnauthorized?: boolean
  /** The oldest version of TLS to accept. @default 'TLSv1.2' */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
}

/** Deadlines, each absolute: bytes that trickle in do not extend them. */
export interface TimeoutOptions {
  /** Milliseconds for headers, name lookup, TCP, TLS and handshake together. @default 10_000 */
  readonly connectMs?: number
  /** Milliseconds for `onOpen`, authentication and subscriptions together. @default 10_000 */
  readonly bootstrapMs?: number
  /** Milliseconds that the other side gets to answer our close before the socket is destroyed. @default 2_000 */
  readonly closeMs?: number
}

/** What `onOpen` gets to know of the new connection. */
export interface BootstrapConnection {
  /** 1 for the first connection that got this far, growing with each. */
  readonly generation: number
  /** Which attempt in a row this is. */
  readonly attempt: number
  /** The negotiated subprotocol; empty where there is none. */
  readonly protocol: string
  /** Aborted when the connection is lost, `timeouts.bootstrapMs` passes or the transport closes. */
  readonly signal: AbortSignal
}

/** Makes the frames that the server expects before anything else. */
export type OnOpen = (
  connection: BootstrapConnection,
) => readonly Frame[] | Promise<readonly Frame[]>

/** What a retry function decides: how long to wait and what to remember, or that it was enough. */
export type RetryDecision<S = unknown> =
  | {
      /** Milliseconds before the next attempt, at most 2^31-1. */
      readonly delayMs: number
      /** What the next call gets; left out, it gets the same again. */
      readonly state?: S
    }
  | 'stop'

/** When and how often a lost link is made again. */
export interface ReconnectOptions {
  /** How long to wait before each attempt. @default backoff.exponential({ initialMs: 250, maxMs: 30_000, jitter: 'full' }) */
  readonly backoff?: BackoffPolicy
  /** Attempts after the first failure before giving up for good: an integer ≥ 0 or `Infinity`. @default Infinity */
  readonly maxAttempts?: number
  /** Milliseconds that a link must last before the attempts count from zero again. @default 10_000 */
  readonly stableAfterMs?: number
  /** Milliseconds without a link after which to give up for good. @default Infinity */
  readonly giveUpAfterMs?: number
  /** Whether another attempt can help after this failure. @default refusals by status, certificates and mistakes in the options are fatal, all else is transient */
  readonly classify?: (error: unknown) => 'transient' | 'fatal'
  /** Whether to connect again after a link ended with this close code. @default what `CLOSE_CODES` says */
  readonly closePolicy?: (code: number) => 'reconnect' | 'stop'
  /**
   * Decides after each failure how long to wait, in the place of `backoff`. `state` is what the call before gave back,
   * whatever it holds; `'stop'` gives up for good. What it throws is told as an `error` notice, and `backoff` stands in.
   * @default none
   */
  retry?(this: void, state: unknown, error: BusError): RetryDecision
  /** What the first call gets, and the first after a link that lasted `stableAfterMs`. @default undefined */
  readonly retryState?: unknown
}

/** Pings that notice a dead link which looks alive. */
export interface HeartbeatSettings {
  /** Milliseconds between pings; below the idle limit of every proxy on the way. @default 25_000 */
  readonly intervalMs?: number
  /** Milliseconds that the answer may take, at most `intervalMs`. @default 10_000 */
  readonly timeoutMs?: number
  /** Pings in a row without an answer after which the link is dropped. @default 1 */
  readonly maxMissed?: number
}

/** How to reach a server over WebSocket, and what to do when it cannot be reached. */
export interface WebSocketTransportOptions {
  /** `ws:` or `wss:`; path and query are kept. Credentials belong in `headers`. */
  readonly url: string | URL
  /** How events travel in frames. @default busV1(), which falls back to plainJson() */
  readonly protocol?: Protocol | PlainProtocol
  /** Subprotocols to offer besides those of `protocol`, the preferred one first. @default [] */
  readonly protocols?: readonly string[]
  /** Headers of the handshake, or a function that makes them for each attempt. @default {} */
  readonly headers?: Headers | HeaderFactory
  /**
   * Lets credentials go over `ws:` to another machine, where anybody on the way can read them. Without it headers, a query, a
   * token that look like credentials are refused there. @default false
   */
  readonly allowInsecure?: boolean
  /** Certificates and keys; only with `wss:`. @default none */
  readonly tls?: TlsOptions
  readonly timeouts?: TimeoutOptions
  /** Frames to send on each new connection before any event; a failure counts as a failed attempt. Not on `bus.v1`. @default none */
  readonly onOpen?: OnOpen
  /** `false`: the first loss closes the transport. @default on, without end */
  readonly reconnect?: false | ReconnectOptions
  /** `false`: no pings. @default on */
  readonly heartbeat?: false | HeartbeatSettings
  /**
   * Heartbeats in messages of their own, for servers that ask for them; they are not delivered as events. Not on `bus.v1`, whose hub
   * needs none. @default none
   */
  readonly applicationHeartbeat?: HeartbeatProfile
  /** Milliseconds without any frame, pongs included, after which the link is dropped. @default no limit */
  readonly idleTimeoutMs?: number
  /** Stops dialing a server that keeps failing; with `whenDisconnected: 'reject'` publishes then fail with `circuit-open`. @default on */
  readonly breaker?: false | BreakerOptions
  /** What waits to be sent. @default 1_000 events, 16 MiB, strategy 'block', warning at 0.8 */
  readonly queue?: QueueOptions
  /**
   * Decides when each event may be sent, over all links: a `RateLimiter` of `@bus/rate-limit`. What may not be sent yet waits in
   * `queue`, in which its priorities may change the order. It is not closed with the transport. @default each at once
   */
  readonly admission?: Admission | undefined
  /** What a publish does while there is no link: wait in the queue, or reject at once. @default 'queue' */
  readonly whenDisconnected?: 'queue' | 'reject'
  /** Links that may break while one event is sent before it goes to the dead letters, an integer ≥ 1; no limit on `bus.v1`. @default 5 */
  readonly maxAttempts?: number
  /** Bytes that the socket may hold unsent; above it events wait in the queue. @default 1_048_576 */
  readonly highWaterMarkBytes?: number
  /**
   * The largest message in bytes, in both directions. The hub sends no larger one: an event that needs it is told as a
   * `gap` of reason `size`. Another server that sends one loses the connection. @default 1_048_576
   */
  readonly maxMessageBytes?: number
  /** Offers permessage-deflate: less bytes for some 250 kB of memory a socket. @default false */
  readonly compression?: boolean
  /** Under which names and with which id this transport tells what it does. @default prefix 'bus', a new id */
  readonly telemetry?: TransportTelemetryOptions
  /** Gets what this transport does: connections, messages, errors, publishes. @default none */
  readonly metrics?: MetricsCollector
  /**
   * Sees what goes over each connection, both ways, with close and control frames: a `Recorder` of `@bus/recording`. It is not
   * closed with the transport. @default none
   */
  readonly watch?: ConnectionWatcher | undefined
  /** Time, for tests. @default the clock of the machine */
  readonly clock?: Clock
  /** Random numbers for jitter, for tests. @default Math.random */
  readonly random?: Random
}

/** The defaults that are plain values. */
export interface Defaults {
  readonly timeouts: Readonly<Required<TimeoutOptions>>
  readonly reconnect: Readonly<
    Required<Pick<ReconnectOptions, 'maxAttempts' | 'stableAfterMs' | 'giveUpAfterMs'>>
  >
  /** The parameters of the exponential backoff. */
  readonly backoff: { readonly initialMs: number; readonly maxMs: number; readonly jitter: 'full' }
  readonly heartbeat: Readonly<Required<HeartbeatSettings>>
  readonly breaker: Readonly<Required<BreakerOptions>>
  readonly queue: Readonly<Required<QueueOptions>>
  readonly whenDisconnected: 'queue' | 'reject'
  readonly maxAttempts: number
  readonly highWaterMarkBytes: number
  readonly maxMessageBytes: number
  readonly compression: boolean
  readonly allowInsecure: boolean
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
  backoff: Object.freeze({ initialMs: 250, maxMs: 30_000, jitter: 'full' }),
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
})

/** When and how often a lost link is made again, with every default filled in. */
export type ResolvedReconnect = Readonly<
  Required<Omit<ReconnectOptions, 'retry' | 'retryState'>> &
    Pick<ReconnectOptions, 'retry' | 'retryState'>
>

/** The options with every default filled in; frozen. Prints without secrets, and may be given to `resolveOptions` again. */
export interface ResolvedOptions {
  /** Normalised, with path and query. */
  readonly url: string
  readonly protocol: Protocol
  readonly protocols: readonly string[]
  readonly headers: Headers | HeaderFactory
  readonly tls: TlsOptions | undefined
  readonly timeouts: Readonly<Required<TimeoutOptions>>
  readonly onOpen: OnOpen | undefined
  readonly reconnect: false | ResolvedReconnect
  readonly heartbeat: false | Readonly<Required<HeartbeatSettings>>
  readonly applicationHeartbeat: HeartbeatProfile | undefined
  readonly idleTimeoutMs: number | undefined
  readonly breaker: false | Readonly<Required<BreakerOptions>>
  readonly queue: Readonly<Required<QueueOptions>>
  readonly admission: Admission | undefined
  readonly whenDisconnected: 'queue' | 'reject'
  readonly maxAttempts: number
  readonly highWaterMarkBytes: number
  readonly maxMessageBytes: number
  readonly compression: boolean
  readonly allowInsecure: boolean
  readonly telemetry: ResolvedTelemetry
  readonly metrics: MetricsCollector | undefined
  readonly watch: ConnectionWatcher | undefined
  readonly clock: Clock
  readonly random: Random
}

/**
 * Checks everything, fills in the defaults and freezes. The input is only read. An option that is `undefined` counts
 * as absent.
 *
 * @throws `ConfigError` that names the option, what was given (secrets hidden) and what is accepted.
 */
export function resolveOptions(input: unknown): ResolvedOptions {
  checkOptions<WebSocketTransportOptions>('', input, optionShape)
  const options = input as WebSocketTransportOptions
  const resolved = printRedacted({
    url: checkUrl(options.url),
    protocol: options.protocol ?? busV1(),
    protocols: Object.freeze([...(options.protocols ?? [])]),
    headers: resolveHeaders(options.headers),
    allowInsecure: options.allowInsecure ?? defaults.allowInsecure,
    tls: resolveTls(options.tls),
    timeouts: fill(defaults.timeouts, options.timeouts),
    onOpen: options.onOpen,
    reconnect: resolveReconnect(options.reconnect),
    heartbeat: options.heartbeat === false ? false : fillHeartbeat(options.heartbeat),
    applicationHeartbeat: options.applicationHeartbeat,
    idleTimeoutMs: options.idleTimeoutMs,
    breaker: options.breaker === false ? false : fillBreaker(options.breaker),
    queue: fill(defaults.queue, options.queue),
    admission: options.admission,
    whenDisconnected: options.whenDisconnected ?? defaults.whenDisconnected,
    maxAttempts: options.maxAttempts ?? defaults.maxAttempts,
    highWaterMarkBytes: options.highWaterMarkBytes ?? defaults.highWaterMarkBytes,
    maxMessageBytes: options.maxMessageBytes ?? defaults.maxMessageBytes,
    compression: options.compression ?? defaults.compression,
    telemetry: resolveTelemetry(options.telemetry),
    metrics: options.metrics,
    watch: options.watch,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  })
  refuseContradictions(resolved)
  refuseExposedCredentials(resolved)
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

function resolveHeaders(headers: WebSocketTransportOptions['headers']): ResolvedOptions['headers'] {
  return typeof headers === 'function' ? headers : checkHeaders(headers ?? {})
}

function resolveTls(tls: TlsOptions | undefined): TlsOptions | undefined {
  if (tls === undefined) return undefined
  const ca = tls.ca
  const copy = fill<TlsOptions>({}, tls)
  return Array.isArray(ca) ? Object.freeze({ ...copy, ca: Object.freeze([...ca]) }) : copy
}

function resolveReconnect(options: false | ReconnectOptions = {}): ResolvedOptions['reconnect'] {
  if (options === false) return false
  return fill<ResolvedReconnect>(
    {
      ...defaults.reconnect,
      backoff: options.backoff ?? backoff.exponential(defaults.backoff),
      classify,
      closePolicy,
    },
    options,
  )
}

function fillHeartbeat(options: HeartbeatSettings | undefined): Required<HeartbeatSettings> {
  return fill(defaults.heartbeat, options)
}

function fillBreaker(options: BreakerOptions | undefined): Required<BreakerOptions> {
  return fill(defaults.breaker, options)
}

/** A frozen copy of `base` with what is given in `options`. */
function fill<T extends object>(base: T, options: Partial<T> | undefined): T {
  const given = Object.entries(options ?? {}).filter(([, value]) => value !== undefined)
  return Object.freeze({ ...base, ...(Object.fromEntries(given) as Partial<T>) })
}

function refuseContradictions({ url, tls, heartbeat, idleTimeoutMs }: ResolvedOptions): void {
  if (tls !== undefined && !isSecure(url)) {
    throw new ConfigError('tls', 'Expected `tls` only with a wss: URL, got a ws: URL')
  }
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

type Way = Pick<ResolvedOptions, 'url' | 'allowInsecure'>

/** Names of this machine, in the form that a parsed URL has. */
const THIS_MACHINE = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** @throws `ConfigError` when the options show credentials on a way that is not secure, unless they allow it. */
export function refuseExposedCredentials(options: ResolvedOptions): void {
  if (!isExposed(options)) return
  const { url, headers, protocol } = options
  const names = [...new URL(url).searchParams.keys()]
  if (names.some((name) => isSecretName(name))) throw exposed('url')
  if (typeof headers !== 'function') refuseExposedHeaders(options, headers)
  const authenticates = isPlainProtocol(protocol) && protocol.authenticate !== undefined
  if (protocol.credentials !== undefined || authenticates) throw exposed('protocol')
}

/** The same for the headers of one attempt. Their values are not shown. */
export function refuseExposedHeaders(way: Way, headers: Headers): void {
  const secret = Object.keys(headers).find((name) => isSecretName(name))
  if (secret !== undefined && isExposed(way)) throw exposed(`headers.${secret}`)
}

/** Without TLS, and not to this machine. */
function isExposed({ url, allowInsecure }: Way): boolean {
  return !allowInsecure && !isSecure(url) && !THIS_MACHINE.test(new URL(url).hostname)
}

function exposed(path: string): ConfigError {
  const advice = 'use a wss: URL, or say `allowInsecure: true` where nobody else is on the way'
  return new ConfigError(path, `Expected no credentials over ws: to another machine: ${advice}`)
}

/** Gives the options their `toJSON` and their look in `console.log`, neither of which is copied by a spread. */
export function printRedacted(options: ResolvedOptions): ResolvedOptions {
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
    url: redactUrl(options.url),
    protocol: options.protocol.name,
    applicationHeartbeat: options.applicationHeartbeat?.name,
    headers: typeof options.headers === 'function' ? options.headers : hideAll(options.headers),
    admission: options.admission === undefined ? undefined : 'admission',
    // A collector may hold whatever it likes.
    metrics: options.metrics === undefined ? undefined : 'collector',
    watch: options.watch === undefined ? undefined : 'watcher',
    tls: options.tls === undefined ? undefined : printedTls(options.tls),
  })
}

function printedTls(tls: TlsOptions): unknown {
  const { servername, minVersion, rejectUnauthorized, ...secret } = tls
  return { servername, minVersion, rejectUnauthorized, ...hideAll(secret) }
}

function hideAll(record: object): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.keys(record).map((name) => [name, REDACTED]))
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
