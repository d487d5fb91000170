/** Options from options: a layer over another, also inside of groups such as `reconnect`, and the options of a clone. */
import { ConfigError } from '@bus/core'
import type { ResolvedOptions, WebSocketTransportOptions } from './options.ts'

/** Options of which any may be left out, for a layer under others. */
export type ClientConfig = {
  readonly [K in keyof WebSocketTransportOptions]?: WebSocketTransportOptions[K] | undefined
}

/** Options within options, in which a layer changes only what it names; all others are replaced whole. */
const GROUPS: ReadonlySet<string> = new Set([
  'breaker',
  'headers',
  'heartbeat',
  'queue',
  'reconnect',
  'timeouts',
  'tls',
] satisfies (keyof WebSocketTransportOptions)[])

/**
 * The options of `base` with those of `own` over them; neither is changed. What is `undefined` or `null` in `own` stays
 * as it is.
 *
 * @throws `ConfigError` for layers that are no objects; what they hold is checked by the transport.
 * @example
 * ```ts
 * import { profiles } from '@bus/platforms'
 * import { mergeConfig, webSocketTransport } from '@bus/websocket'
 *
 * const transport = webSocketTransport(
 *   mergeConfig(profiles.messaging, { url: 'wss://chat.example/feed', queue: { capacity: 500 } }),
 * )
 * ```
 */
export function mergeConfig(
  base: ClientConfig,
  own: WebSocketTransportOptions,
): WebSocketTransportOptions
export function mergeConfig<T extends object>(base: T, own: T): T
export function mergeConfig(base: object, own: object): object {
  checkLayer('base', base)
  checkLayer('own', own)
  const merged: Record<string, unknown> = { ...base }
  for (const [name, value] of Object.entries(own)) {
    if (isAbsent(value)) continue
    const under = merged[name]
    const isWithin = GROUPS.has(name) && isRecord(under) && isRecord(value)
    merged[name] = isWithin ? mergeGroup(name, under, value) : value
  }
  return Object.freeze(merged)
}

/**
 * The options of one transport for another, with the overrides over them. Headers, which may say who we are, are replaced
 * whole. A protocol that keeps state gives a fresh one (`Protocol.clone`). What belongs to one transport alone is left out:
 * `watch` and `metrics`.
 *
 * @throws `ConfigError` for overrides that are no object; what they hold is checked by the next transport.
 */
export function cloneOptions(
  options: ResolvedOptions,
  overrides: ClientConfig = {},
): WebSocketTransportOptions {
  checkLayer('overrides', overrides)
  const own = {
    ...options,
    protocol: options.protocol.clone?.() ?? options.protocol,
    headers: isAbsent(overrides.headers) ? options.headers : undefined,
    watch: undefined,
    metrics: undefined,
  }
  return mergeConfig<ClientConfig>(own, overrides) as WebSocketTransportOptions
}

function mergeGroup(name: string, under: object, over: object): object {
  const given = Object.entries(over).filter(([, value]) => !isAbsent(value))
  if (name !== 'headers') return Object.freeze({ ...under, ...Object.fromEntries(given) })
  // Two spellings of one header would both be sent.
  const names = new Set(given.map(([header]) => header.toLowerCase()))
  const kept = Object.entries(under).filter(([header]) => !names.has(header.toLowerCase()))
  return Object.freeze(Object.fromEntries([...kept, ...given]))
}

function checkLayer(path: string, value: unknown): void {
  if (!isRecord(value)) throw ConfigError.expected(path, 'to be an object', value)
}

/** Settings that were read from a file have `null` for what is not given. */
function isAbsent(value: unknown): boolean {
  return value === undefined || value === null
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === '[object Object]'
}
