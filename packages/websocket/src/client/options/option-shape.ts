/** What each option of the WebSocket transport accepts. */
import {
  arrayOf,
  boolean,
  durationMs,
  falseOr,
  func,
  integer,
  object,
  oneOf,
  required,
  resolveQueueOptions,
  resolveRateLimitOptions,
  resolveRecordOptions,
  string,
  where,
  withMethods,
  type BreakerOptions,
  type Check,
  type QueueOptions,
  type RateLimitOptions,
  type RecordOptions,
  type Shape,
} from '@bus/core'
import type { HeartbeatProfile } from '../../platform/heartbeat-profile.ts'
import { checkUrl } from './endpoint.ts'
import { checkHandlers } from './handlers.ts'
import { checkCollector, checkTelemetry } from './telemetry-options.ts'
import { checkHeaders, isToken } from './headers.ts'
import type {
  HeartbeatSettings,
  ReconnectOptions,
  TimeoutOptions,
  TlsOptions,
  WebSocketTransportOptions,
} from './options.ts'

const positiveMs = durationMs({ min: 1 })
const positive = integer({ min: 1 })

const material = where(
  'to be PEM text or bytes',
  (value) => value instanceof Uint8Array || (typeof value === 'string' && value !== ''),
)
const materials: Check = (path, value) =>
  (Array.isArray(value) ? arrayOf(material) : material)(path, value)

const tls: Shape<TlsOptions> = {
  ca: materials,
  cert: material,
  key: material,
  passphrase: string(),
  pfx: material,
  servername: string({ nonEmpty: true }),
  rejectUnauthorized: boolean,
  minVersion: oneOf(['TLSv1.2', 'TLSv1.3']),
}

const timeouts: Shape<TimeoutOptions> = {
  connectMs: positiveMs,
  bootstrapMs: positiveMs,
  closeMs: positiveMs,
}

const reconnect: Shape<ReconnectOptions> = {
  backoff: func,
  maxAttempts: integer({ min: 0, allowInfinity: true }),
  stableAfterMs: positiveMs,
  giveUpAfterMs: durationMs({ min: 1, allowInfinity: true }),
  classify: func,
  closePolicy: func,
  retry: func,
  // Whatever the function wants.
  retryState: () => {},
}

const heartbeat: Shape<HeartbeatSettings> = {
  intervalMs: positiveMs,
  timeoutMs: positiveMs,
  maxMissed: positive,
}

const breaker: Shape<BreakerOptions> = {
  failureThreshold: positive,
  openMs: positiveMs,
  successThreshold: positive,
}

const queue: Check = (path, value) => {
  resolveQueueOptions(value as QueueOptions, path)
}

const rateLimit: Check = (path, value) => {
  resolveRateLimitOptions(value as RateLimitOptions, path)
}

const record: Check = (path, value) => {
  resolveRecordOptions(value as RecordOptions, path)
}

const headers: Check = (_path, value) => {
  if (typeof value !== 'function') checkHeaders(value)
}

const protocols: Check = (path, value) => {
  arrayOf(where('to be an HTTP token', isToken))(path, value)
  const unique = where('to name each subprotocol once', (list) => {
    const names = list as readonly string[]
    return new Set(names).size === names.length
  })
  unique(path, value)
}

/** Not an exact shape: a profile may be an instance that keeps something to itself. */
const profile: Check = (path, value) => {
  withMethods()(path, value)
  const { name, intervalMs, onTick, onFrame } = value as Partial<HeartbeatProfile>
  string({ nonEmpty: true })(`${path}.name`, name)
  if (intervalMs !== undefined) positiveMs(`${path}.intervalMs`, intervalMs)
  if (onTick !== undefined) func(`${path}.onTick`, onTick)
  if (onFrame !== undefined) func(`${path}.onFrame`, onFrame)
}

/** One check for each option. */
export const optionShape: Shape<WebSocketTransportOptions> = {
  url: required((_path, value) => void checkUrl(value)),
  protocol: withMethods('encode', 'decode'),
  protocols,
  headers,
  allowInsecure: boolean,
  tls: object(tls),
  timeouts: object(timeouts),
  onOpen: func,
  reconnect: falseOr(object(reconnect)),
  heartbeat: falseOr(object(heartbeat)),
  applicationHeartbeat: profile,
  idleTimeoutMs: positiveMs,
  breaker: falseOr(object(breaker)),
  queue,
  rateLimit,
  whenDisconnected: oneOf(['queue', 'reject']),
  maxAttempts: integer({ min: 1, allowInfinity: true }),
  highWaterMarkBytes: positive,
  maxMessageBytes: positive,
  compression: boolean,
  telemetry: checkTelemetry,
  metrics: checkCollector,
  record,
  handlers: checkHandlers,
  clock: withMethods('now', 'setTimeout', 'clearTimeout'),
  random: func,
}
