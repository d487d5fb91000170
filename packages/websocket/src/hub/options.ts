/** The options of the hub. */
import { Server } from 'node:http'
import { Server as SecureServer } from 'node:https'
import { ConfigError, checkOptions, durationMs, integer, string, where } from '@bus/core'

/** A server of `node:http` or `node:https`. */
export type HubServer = Server | SecureServer

/** Where a hub listens and how much it lets wait for a slow reader. */
export interface HubOptions {
  /** The port to listen on; 0 lets the system choose. Not together with `server`. @default 0 */
  readonly port?: number
  /** The address to listen on. @default '127.0.0.1' */
  readonly host?: string
  /**
   * An HTTP or HTTPS server of yours to attach to instead of listening; it stays yours to close. @default none
   */
  readonly server?: HubServer
  /**
   * The path that is upgraded; every other one gets 404, unless `server` has more listeners of `upgrade`, to which it
   * is left. @default any path
   */
  readonly path?: string
  /** The largest message in bytes; a larger one closes its connection with 1009. @default 1_048_576 */
  readonly maxMessageBytes?: number
  /** Bytes that may wait for one reader; above it the hub stops reading from the others. @default 1_048_576 */
  readonly highWaterMarkBytes?: number
  /** Milliseconds that one reader may hold up the others before its connection is ended. @default 5_000 */
  readonly slowReaderMs?: number
  /** Milliseconds that peers get to answer the hub's close. @default 2_000 */
  readonly closeMs?: number
}

/** The options with every default filled in. */
export interface ResolvedHubOptions {
  readonly port: number
  readonly host: string
  readonly server: HubServer | undefined
  readonly path: string | undefined
  readonly maxMessageBytes: number
  readonly highWaterMarkBytes: number
  readonly slowReaderMs: number
  readonly closeMs: number
}

/** What holds where nothing is given. */
export const hubDefaults: Readonly<{
  port: number
  host: string
  maxMessageBytes: number
  highWaterMarkBytes: number
  slowReaderMs: number
  closeMs: number
}> = Object.freeze({
  port: 0,
  host: '127.0.0.1',
  maxMessageBytes: 1_048_576,
  highWaterMarkBytes: 1_048_576,
  slowReaderMs: 5_000,
  closeMs: 2_000,
})

/** @throws `ConfigError` that names the option, its value and the accepted form. */
export function resolveHubOptions(options: HubOptions): ResolvedHubOptions {
  checkOptions<HubOptions>('', options, {
    port: integer({ min: 0, max: 65_535 }),
    host: string({ nonEmpty: true }),
    server: where('to be a server of node:http or node:https', isServer),
    path: string({ nonEmpty: true }),
    maxMessageBytes: integer({ min: 1 }),
    highWaterMarkBytes: integer({ min: 1 }),
    slowReaderMs: durationMs({ min: 1 }),
    closeMs: durationMs({ min: 1 }),
  })
  if (options.server !== undefined && options.port !== undefined) {
    throw new ConfigError(
      'port',
      'Expected `port` or `server`, got both: a server has its own port',
    )
  }
  if (options.path !== undefined && !/^\/[^?#\s]*$/.test(options.path)) {
    throw ConfigError.expected('path', 'to start with / and to have no query', options.path)
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined))
  return Object.freeze({ server: undefined, path: undefined, ...hubDefaults, ...given })
}

function isServer(value: unknown): boolean {
  return value instanceof Server || value instanceof SecureServer
}
