/** The options of one transport for another: the same but for what is said to be different. */
import { mergeLayers } from './merge-config.ts'
import type { ResolvedOptions, WebSocketTransportOptions } from './options.ts'

const SINGLE: ReadonlySet<string> = new Set(['metrics', 'watch'])

/**
 * The options with the overrides over them; neither is changed. What an override leaves `undefined` stays as it is.
 * A protocol that keeps state gives a fresh one (`Protocol.clone`). What one transport alone can have is left out: its
 * watch, and the collector of its figures.
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
function shareable<T extends object>(options: T): T {
  const isShared = ([name]: readonly [string, unknown]): boolean => !SINGLE.has(name)
  return Object.fromEntries(Object.entries(options).filter(isShared)) as T
}

/** The options with the overrides over them, group by group; headers, which may say who we are, only as a whole. */
function withOverrides<T extends object>(options: T, overrides: Partial<T> = {}): T {
  return mergeLayers('overrides', options, overrides, ['headers']) as T
}
