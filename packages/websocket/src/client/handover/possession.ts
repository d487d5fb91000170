/** What a transport is made of, its options and its rooms: it can pass from one handle to another. */
import { attachHandlers, withHandlers } from '../handler-set.ts'
import type { ResolvedOptions, WebSocketTransportOptions } from '../options/options.ts'
import { resolveOptions } from '../options/resolve-options.ts'
import { Rooms } from '../rooms.ts'

export interface Possession {
  readonly options: ResolvedOptions
  readonly rooms: Rooms
}

/** @throws `ConfigError` */
export function newPossession(given: WebSocketTransportOptions): Possession {
  const options = resolveOptions(given)
  const rooms = new Rooms(withHandlers(options))
  attachHandlers(options.handlers, rooms)
  return { options, rooms }
}
