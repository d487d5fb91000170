/** The options of one transport for another: the same but for what is said to be different. */
import { ConfigError } from '@bus/core'
import type { ResolvedOptions, WebSocketTransportOptions } from './options.ts'

/** Groups in which an override changes only the members that it names. */
const GROUPS = ['tls', 'timeouts', 'reconnect', 'heartbeat', 'breaker', 'queue'] as const

const SINGLE: ReadonlySet<string> = new Set(['metrics', 'record'])

/**
 * The options with the overrides over them; neither is changed. What an override leaves `undefined` stays as it is.
 * A protocol that keeps state gives a fresh one (`Protocol.clone`). What one transport alone can have is left out: its
 * recording, and the collector of its figures.
 *
 * @throws `ConfigError` for overrides that are no object; what they say is checked by whoever uses the result.
 */
export function cloneOptions(
  options: ResolvedOptions,
  overrides: Partial<WebSocketTransportOptions> = {},
): WebSocketTransportOptions {
  const protocol = options.protocol.clone?.() ?? options.protocol
  return withOverrides(shareable({ ...options, protocol }) as WebSocketTransportOptions, overrides)
}

/** The options without those that one connection alone can have. */
export function shareable<T extends object>(options: T): T {
  const isShared = ([name]: readonly [string, unknown]): boolean => !SINGLE.has(name)
  return Object.fromEntries(Object.entries(options).filter(isShared)) as T
}

/** The options with the overrides over them, group by group. */
export function withOverrides<T extends object>(options: T, overrides: Partial<T> = {}): T {
  if (!isGroup(overrides)) throw ConfigError.expected('overrides', 'to be an object', overrides)
  const own = options as Readonly<Record<string, unknown>>
  const over = given(overrides)
  const groups = GROUPS.filter((name) => own[name] !== undefined && over[name] !== undefined)
  const merges = groups.map((name) => [name, merged(own[name], over[name])] as const)
  return { ...options, ...over, ...Object.fromEntries(merges) }
}

function merged(own: unknown, over: unknown): unknown {
  return isGroup(own) && isGroup(over) ? { ...own, ...given(over) } : over
}

function given(record: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined))
}

function isGroup(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
