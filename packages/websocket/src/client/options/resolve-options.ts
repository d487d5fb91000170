/** Checks the options of the WebSocket transport and fills in the defaults. */
import {
  ConfigError,
  backoff,
  checkOptions,
  resolveRateLimitOptions,
  resolveRecordOptions,
  systemClock,
  type BreakerOptions,
} from '@bus/core'
import { busV1 } from '../../protocol/bus-v1/bus-v1.ts'
import { classify, closePolicy } from './classify.ts'
import { checkUrl, isSecure } from './endpoint.ts'
import { refuseExposedCredentials } from './exposure.ts'
import { checkHeaders } from './headers.ts'
import { optionShape } from './option-shape.ts'
import {
  defaults,
  type HeartbeatSettings,
  type ReconnectOptions,
  type ResolvedOptions,
  type ResolvedReconnect,
  type TlsOptions,
  type WebSocketTransportOptions,
} from './options.ts'
import { printRedacted } from './printed-options.ts'
import { resolveTelemetry } from './telemetry-options.ts'

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
    rateLimit: resolveRateLimit(options.rateLimit),
    whenDisconnected: options.whenDisconnected ?? defaults.whenDisconnected,
    maxAttempts: options.maxAttempts ?? defaults.maxAttempts,
    highWaterMarkBytes: options.highWaterMarkBytes ?? defaults.highWaterMarkBytes,
    maxMessageBytes: options.maxMessageBytes ?? defaults.maxMessageBytes,
    compression: options.compression ?? defaults.compression,
    telemetry: resolveTelemetry(options.telemetry),
    metrics: options.metrics,
    record: options.record === undefined ? undefined : resolveRecordOptions(options.record),
    handlers: options.handlers,
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

/** What waits for tokens is bounded by the queue. */
function resolveRateLimit(
  options: WebSocketTransportOptions['rateLimit'],
): ResolvedOptions['rateLimit'] {
  return options === undefined ? undefined : resolveRateLimitOptions(options, 'rateLimit', Infinity)
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
