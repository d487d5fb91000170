/** The options of the hub. */
import { Server } from 'node:http'
import { Server as SecureServer } from 'node:https'
import {
  ConfigError,
  checkOptions,
  durationMs,
  integer,
  string,
  where,
  withMethods,
  type Transport,
} from '@bus/core'
import {
  BUS_V1_SHAPE,
  resolveBusV1,
  type BusV1Options,
  type ResolvedBusV1Options,
} from './bus-v1/options.ts'

/** A server of `node:http` or `node:https`. */
export type HubServer = Server | SecureServer

/** Where a hub listens, whom it lets in, and how much it lets wait for a slow reader. */
export interface HubOptions extends BusV1Options {
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
  /**
   * A transport that several hubs have in common: each event that one of them takes reaches the subscribers of all. A publish is
   * then confirmed only when the transport has confirmed it too, or has refused it for good, which `onError` and
   * `stats().backend.refused` tell; another hub gets it as the transport promises. Resuming is with the same hub. The hub owns
   * the transport, and closes it. @default none
   */
  readonly backend?: Transport
  /** The largest message in bytes; a larger one closes its connection with 1009. @default 1_048_576 */
  readonly maxMessageBytes?: number
  /** Bytes that may wait for one reader of the plain wire; above it everybody else waits. @default 1_048_576 */
  readonly highWaterMarkBytes?: number
  /** Milliseconds that one reader of the plain wire may hold up the others before its connection is ended. @default 5_000 */
  readonly slowReaderMs?: number
  /** Milliseconds that peers get to answer the hub's close. @default 2_000 */
  readonly closeMs?: number
}

/** The options with every default filled in. */
export interface ResolvedHubOptions extends ResolvedBusV1Options {
  readonly port: number
  readonly host: string
  readonly server: HubServer | undefined
  readonly path: string | undefined
  readonly backend: Transport | undefined
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
    ...BUS_V1_SHAPE,
    port: integer({ min: 0, max: 65_535 }),
    host: string({ nonEmpty: true }),
    server: where('to be a server of node:http or node:https', isServer),
    path: string({ nonEmpty: true }),
    backend: withMethods('connect', 'publish', 'subscribe', 'drain'),
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
  return Object.freeze({
    ...resolveBusV1(options),
    port: options.port ?? hubDefaults.port,
    host: options.host ?? hubDefaults.host,
    server: options.server,
    path: options.path,
    backend: options.backend,
    maxMessageBytes: options.maxMessageBytes ?? hubDefaults.maxMessageBytes,
    highWaterMarkBytes: options.highWaterMarkBytes ?? hubDefaults.highWaterMarkBytes,
    slowReaderMs: options.slowReaderMs ?? hubDefaults.slowReaderMs,
    closeMs: options.closeMs ?? hubDefaults.closeMs,
  })
}

function isServer(value: unknown): boolean {
  return value instanceof Server || value instanceof SecureServer
}
