/** How a connector reaches its server: the options of its transport, also as flat properties. */
import { ConfigError, backoff } from '@bus/core'
import type { Shape } from '@bus/core/kit'
import { mergeConfig, type WebSocketTransportOptions } from '@bus/websocket'
import { optionTable } from '@bus/websocket/protocol'
import {
  property,
  readProperties,
  refuseUnknownProperties,
  type Properties,
  type Property,
  type PropertyValues,
} from './properties.ts'

/** The options of the transport, without those that say what its messages are and how they wait. */
export type ConnectionOptions = Omit<
  WebSocketTransportOptions,
  'maxAttempts' | 'protocol' | 'queue' | 'whenDisconnected'
>

const { maxAttempts: _1, protocol: _2, queue: _3, whenDisconnected: _4, ...checks } = optionTable

/** One check for each option of a connection. */
export const connectionChecks: Shape<ConnectionOptions> = Object.freeze(checks)

/** Only the options of the connection. */
export function connectionIn(options: ConnectionOptions): ConnectionOptions {
  const isOwn = ([name]: readonly [string, unknown]): boolean =>
    Object.hasOwn(connectionChecks, name)
  return Object.fromEntries(Object.entries(options).filter(isOwn)) as unknown as ConnectionOptions
}

/** The options without those that one connection alone can have. */
export function shareable<T extends ConnectionOptions>(options: T): T {
  return { ...options, metrics: undefined, watch: undefined }
}

/** The options with the overrides over them, group by group; headers, which may say who we are, only as a whole. */
export function withOverrides<T extends ConnectionOptions>(
  options: T,
  overrides: Partial<T> = {},
): T {
  const hasHeaders = (overrides as Partial<T> | null)?.headers ?? undefined
  const base = hasHeaders === undefined ? options : { ...options, headers: undefined }
  return mergeConfig<object>(base, overrides) as T
}

/** Of each key of a connection what it accepts. */
export type ConnectionProperties = {
  readonly 'websocket.url': Property<string>
  readonly 'websocket.reconnect': Property<boolean>
  readonly 'websocket.reconnect.delay.ms': Property<number>
  readonly 'websocket.reconnect.max.delay.ms': Property<number | undefined>
  readonly 'websocket.reconnect.max.attempts': Property<number | undefined>
  readonly 'websocket.headers.*': Property<string | undefined>
  readonly 'websocket.subprotocol': Property<string | undefined>
}

/** What the keys of a connection accept. */
export const connectionProperties: ConnectionProperties = Object.freeze({
  'websocket.url': property.required(property.text()),
  'websocket.reconnect': property.withDefault(property.boolean(), true),
  'websocket.reconnect.delay.ms': property.withDefault(property.duration({ min: 1 }), 1_000),
  'websocket.reconnect.max.delay.ms': property.duration({ min: 1 }),
  'websocket.reconnect.max.attempts': property.integer({ min: -1 }),
  'websocket.headers.*': property.text(),
  'websocket.subprotocol': property.text(),
})

/** The keys that every WebSocket connector knows besides the required `websocket.url`. */
export const connectionParameters: readonly string[] = Object.freeze(
  Object.keys(connectionProperties).filter((key) => key !== 'websocket.url'),
)

const MAX_DELAY_MS = 30_000

/** @param attempts - what holds where the properties do not limit the attempts */
export function connectionOf(
  values: PropertyValues<ConnectionProperties>,
  attempts: number,
): ConnectionOptions {
  const subprotocol = values['websocket.subprotocol']
  return {
    url: values['websocket.url'],
    headers: values['websocket.headers.*'],
    ...(subprotocol === undefined ? {} : { protocols: [subprotocol] }),
    reconnect: values['websocket.reconnect'] && reconnectOf(values, attempts),
  }
}

/**
 * The options of a transport from flat properties: `websocket.url`, `websocket.reconnect`,
 * `websocket.reconnect.delay.ms`, `websocket.reconnect.max.delay.ms`, `websocket.reconnect.max.attempts`,
 * `websocket.headers.*` and `websocket.subprotocol`.
 *
 * @example
 * ```ts
 * import { fromProperties } from '@bus/platforms'
 * import { webSocketTransport } from '@bus/websocket'
 *
 * const transport = webSocketTransport(
 *   fromProperties({
 *     'websocket.url': 'wss://example.com/events',
 *     'websocket.reconnect.max.delay.ms': '10s',
 *     'websocket.headers.Authorization': 'Bearer …',
 *   }),
 * )
 * ```
 *
 * @throws `ConfigError` naming the key.
 */
export function fromProperties(properties: Properties): ConnectionOptions {
  return connectionOf(readProperties(properties, connectionProperties), Infinity)
}

/** The properties that are there, when all of them are known. */
export function knownProperties(
  properties: Properties,
  known: readonly string[],
  isWanted: (key: string) => boolean,
): Properties {
  refuseUnknownProperties(properties, known)
  return Object.fromEntries(Object.entries(properties).filter(([key]) => isWanted(key)))
}

function reconnectOf(
  values: PropertyValues<ConnectionProperties>,
  attempts: number,
): NonNullable<WebSocketTransportOptions['reconnect']> {
  const key = 'websocket.reconnect.max.delay.ms'
  const initialMs = values['websocket.reconnect.delay.ms']
  const given = values[key]
  if (given !== undefined && given < initialMs) {
    const form = `to be at least \`websocket.reconnect.delay.ms\` (${initialMs} ms)`
    throw ConfigError.expected(key, form, given)
  }
  const maxMs = given ?? Math.max(initialMs, MAX_DELAY_MS)
  const limit = values['websocket.reconnect.max.attempts'] ?? attempts
  return {
    backoff: backoff.exponential({ initialMs, maxMs, jitter: 'none' }),
    maxAttempts: limit === -1 ? Infinity : limit,
  }
}
