import { expect, test } from 'vitest'
import { plainJson } from '../../protocol/plain-json.ts'
import { busV1, type BusV1Options } from '../bus-v1.ts'
import { webSocketTransport } from '../websocket-transport.ts'
import { mergeConfig, type ClientConfig } from './merge-config.ts'
import type {
  HeartbeatSettings,
  ReconnectOptions,
  TimeoutOptions,
  TlsOptions,
  TransportTelemetryOptions,
  WebSocketTransportOptions,
} from './options.ts'
import { optionTable, resolveOptions } from './resolve-options.ts'

const url = 'wss://host/'
const protocol = plainJson()

const TLS: Record<keyof TlsOptions, undefined> = {
  ca: undefined,
  cert: undefined,
  key: undefined,
  servername: undefined,
  rejectUnauthorized: undefined,
}
const TIMEOUTS: Record<keyof TimeoutOptions, undefined> = {
  connectMs: undefined,
  bootstrapMs: undefined,
  closeMs: undefined,
}
const RECONNECT: Record<keyof ReconnectOptions, undefined> = {
  backoff: undefined,
  maxAttempts: undefined,
  stableAfterMs: undefined,
  giveUpAfterMs: undefined,
  classify: undefined,
}
const HEARTBEAT: Record<keyof HeartbeatSettings, undefined> = {
  intervalMs: undefined,
  timeoutMs: undefined,
  maxMissed: undefined,
}
const TELEMETRY: Record<keyof TransportTelemetryOptions, undefined> = {
  prefix: undefined,
  id: undefined,
}
/** Every option that may be left out, with its type: one that is added without a line here does not compile. */
const ABSENT: Required<Omit<WebSocketTransportOptions, 'url' | 'tls'>> = {
  protocol,
  protocols: undefined,
  headers: undefined,
  allowInsecure: undefined,
  agent: undefined,
  unref: undefined,
  timeouts: TIMEOUTS,
  onOpen: undefined,
  reconnect: RECONNECT,
  heartbeat: HEARTBEAT,
  applicationHeartbeat: undefined,
  idleTimeoutMs: undefined,
  breaker: { failureThreshold: undefined, openMs: undefined, successThreshold: undefined },
  queue: {
    capacity: undefined,
    maxBytes: undefined,
    strategy: undefined,
    warningThreshold: undefined,
  },
  admission: undefined,
  whenDisconnected: undefined,
  maxAttempts: undefined,
  highWaterMarkBytes: undefined,
  maxMessageBytes: undefined,
  compression: undefined,
  telemetry: TELEMETRY,
  metrics: undefined,
  watch: undefined,
  clock: undefined,
  random: undefined,
}

test('options of the transport that are undefined are the same as absent, also inside of others', () => {
  const without = resolveOptions({ url, protocol })
  expect(resolveOptions({ ...ABSENT, url })).toStrictEqual(without)
  const all = Object.fromEntries(Object.keys(optionTable).map((name) => [name, undefined]))
  expect(resolveOptions({ ...all, url, protocol })).toStrictEqual(without)
  expect(resolveOptions({ url, protocol, tls: TLS })).toStrictEqual(
    resolveOptions({ url, protocol, tls: {} }),
  )
})

test('every caller that may have an option or not can pass it on', async () => {
  const none: ClientConfig = { ...ABSENT, url: undefined, tls: undefined }
  const merged = mergeConfig(none, { ...ABSENT, url })
  expect(resolveOptions(merged)).toStrictEqual(resolveOptions({ url, protocol }))
  await using transport = webSocketTransport({ ...ABSENT, url, tls: TLS })
  await using copy = transport.clone(none)
  expect(copy.status.state).toBe('idle')
  const hub: Required<BusV1Options> = {
    token: undefined,
    renewBeforeMs: undefined,
    progressMs: undefined,
    fallback: undefined,
  }
  expect(busV1(hub).fallback?.name).toBe(busV1().fallback?.name)
  expect(plainJson({ codec: undefined, subprotocols: undefined }).subprotocols).toEqual([])
})
