/** The hub: a WebSocket server that accepts each event once and sends it to every client that is subscribed to it. */

import type { EventInit, PublishReceipt, Transport } from '@bus/core'
import { systemClock } from '@bus/core/kit'
import { Backend } from './backend.ts'
import { Bridge } from './bridge.ts'
import { Exchange } from './bus-v1/exchange.ts'
import { UpgradeHandler } from './upgrade-handler.ts'
import type { HubSession } from './hub-session.ts'
import type { HubStats } from './hub-stats.ts'
import {
  resolveHubOptions,
  type HubOptions,
  type HubServer,
  type ResolvedHubOptions,
} from './options.ts'
import { KeepaliveScheduler } from './keepalive.ts'
import { Metering } from './metering.ts'
import { Relay } from './relay.ts'
import { createServer } from 'node:http'
import { Server as SecureServer } from 'node:https'
import { readFileSync } from 'node:fs'

/** How connections are sent away. */
export interface HubDrainOptions {
  /** Milliseconds over which clients of `bus.v1` spread their return. @default 0 */
  readonly spreadMs?: number | undefined
  /**
   * Milliseconds for sending connected subscribers of `bus.v1` what was accepted. One that is slower comes back for the rest, or
   * gets a gap. @default 5_000
   */
  readonly timeoutMs?: number | undefined
}

/** A running hub. */
export interface Hub extends AsyncDisposable {
  /** Where clients connect: `ws://host:port` with the path, `wss` on a secure server of yours. */
  readonly url: string
  /** Where it listens; 0 while a server of yours does not. */
  readonly port: number
  stats(): HubStats
  /** Who is there: the sessions of `bus.v1`, connected or between two connections, and the connections of the plain wire. */
  sessions(): readonly HubSession[]
  /**
   * Publishes an event from the application that runs the hub, without a client: it is confirmed as that of any other publisher,
   * and reaches both wires and other hubs. With `source: 'principal'` its source is `hub`.
   *
   * @throws `ConfigError` for a bad type or metadata, `SerializationError` for a payload that JSON cannot represent,
   * `RejectedError` for an event that the hub does not take, `QueueFullError` when too many wait, `ClosedError` once it drains
   */
  publish(type: string, payload: unknown, init?: EventInit): Promise<PublishReceipt>
  /**
   * Ends every session of a principal, closes its connections with 4403, and refuses it where its authentication is under
   * way. It may come back; refuse it in `authenticate` from before the call if it must not.
   *
   * @returns how many sessions there were
   */
  revoke(principalId: string): number
  /**
   * Takes no connection and no event any more, sends connected subscribers what was accepted, then sends every connection away
   * and waits until all are gone. What is published meanwhile gets no answer, so that our client publishes it again to the next
   * hub. {@link close} is what is left to do. Idempotent.
   */
  drain(options?: HubDrainOptions): Promise<void>
  /** Drains, and stops listening. Idempotent. */
  close(): Promise<void>
}

/**
 * Starts a hub.
 *
 * A client that offers the subprotocol `bus.v1` gets sessions, acknowledgements and resumption: what it publishes is
 * confirmed, and what it subscribes to at least once is kept for it while it is away for a moment. Every other client
 * speaks the plain wire: each frame goes to every other connection, and what a link loses when it breaks is lost.
 * Events cross over from either wire to the other.
 *
 * @throws `ConfigError` for a bad option, and for a hub that would be open by accident; the system's error when the port
 * cannot be listened on.
 */
export async function createHub(options: HubOptions): Promise<Hub> {
  const hub = new RunningHub(resolveHubOptions(options))
  await hub.start()
  return hub
}

class RunningHub implements Hub {
  readonly #options: ResolvedHubOptions
  readonly #server: HubServer
  readonly #metering: Metering
  readonly #relay: Relay
  readonly #exchange: Exchange
  readonly #bridge: Bridge
  readonly #backend: Backend | undefined
  readonly #upgrades: UpgradeHandler
  /** Kept when it is closed, so that the next one can be started there. */
  #port = 0
  #dropped = 0
  #draining: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(options: ResolvedHubOptions) {
    this.#options = options
    this.#server = options.server ?? makeServer()
    if (options.server === undefined) leaveOpenFiles(this.#server, () => this.#dropped++)
    const metering = new Metering({ ...options.limits, clock: systemClock })
    const { limits } = options
    const keepalive = new KeepaliveScheduler({
      clock: systemClock,
      random: Math.random,
      intervalMs: options.heartbeatMs,
    })
    const relay = new Relay({
      ...options,
      clock: systemClock,
      keepalive,
      maxFrameBytes: limits.maxEventBytes,
      framesPerSecond: limits.publishPerSecond,
      metering,
      onFrame: (data, isBinary) => this.#bridge.fromPlain(data, isBinary),
      onRoom: () => this.#exchange.wake(),
    })
    const backend = options.backend && this.#newBackend(options.backend)
    const exchange = new Exchange(options, {
      onPublished: (offset) => this.#bridge.fromBusV1(offset),
      relay,
      keepalive,
      metering,
      onMaintenance: (now) => relay.endExpired(now),
      ...(backend === undefined
        ? {}
        : {
            sharedUpTo: () => backend.sharedUpTo,
            isEcho: (type, id, body) => this.#bridge.isEcho(type, id, body),
          }),
    })
    this.#metering = metering
    this.#relay = relay
    this.#exchange = exchange
    this.#backend = backend
    this.#bridge = new Bridge(exchange, relay, backend)
    this.#upgrades = new UpgradeHandler(this.#server, options, {
      get connections() {
        return relay.size + exchange.size
      },
      authenticate: (presented, isGone, use) => exchange.authenticate(presented, isGone, use),
      reserve: (tcp, principal) => exchange.reserve(tcp, principal),
      joinBusV1: (ws, tcp, request, principal) => exchange.join(ws, tcp, request, principal),
      joinPlain: (ws, tcp, principal) =>
        relay.add(ws, tcp, principal, exchange.expiryOf(principal)),
    })
  }

  /** Connects to the backend, and listens, unless the server is the application's. */
  async start(): Promise<void> {
    try {
      await this.#backend?.start()
      if (this.#options.server === undefined) await listen(this.#server, this.#options)
    } catch (error) {
      this.#upgrades.detach()
      this.#exchange.close()
      await this.#backend?.close()
      throw error
    }
    this.#port = portOf(this.#server)
  }

  get url(): string {
    return urlOf(this.#server, this.#options, this.port)
  }

  get port(): number {
    this.#port = portOf(this.#server) || this.#port
    return this.#port
  }

  stats(): HubStats {
    const busV1 = this.#exchange.stats()
    const plain = this.#relay.stats()
    const connections = plain.connections + busV1.connections
    const { unbridged } = this.#bridge
    const { refusedPerIp } = this.#upgrades
    const refusedPerPrincipal = this.#exchange.principals.refused
    const floods = this.#metering.floods
    const refused = { refusedPerIp, refusedPerPrincipal, dropped: this.#dropped, floods }
    const backend = this.#backend?.stats()
    return { ...plain, connections, unbridged, ...refused, busV1, backend }
  }

  publish(type: string, payload: unknown, init?: EventInit): Promise<PublishReceipt> {
    return this.#exchange.publish(type, payload, init)
  }

  sessions(): readonly HubSession[] {
    const [now, wall] = [systemClock.now(), Date.now()]
    const sessions = [...this.#exchange.sessions(), ...this.#relay.sessions()]
    return sessions.map((session) => ({ ...session, since: wall - (now - session.since) }))
  }

  revoke(principalId: string): number {
    this.#relay.closeAllOf(principalId, 4403, 'revoked')
    return this.#exchange.revoke(principalId)
  }

  drain(options: HubDrainOptions = {}): Promise<void> {
    this.#draining ??= this.#sendAway(options)
    return this.#draining
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #newBackend(transport: Transport): Backend {
    return new Backend(transport, {
      take: (event) => this.#bridge.fromBackend(event),
      shared: () => this.#exchange.wake(),
      failed: (error) => this.#options.onError?.(error),
    })
  }

  async #sendAway({ spreadMs = 0, timeoutMs = 5_000 }: HubDrainOptions): Promise<void> {
    this.#upgrades.stop()
    const gone = [this.#relay.whenEmpty(), this.#exchange.drain(spreadMs, timeoutMs)]
    // ws itself destroys a socket whose connection does not answer within `closeMs`.
    this.#relay.closeAll(1001, 'the hub is closing')
    await Promise.all(gone)
  }

  async #end(): Promise<void> {
    await this.drain()
    await this.#backend?.close()
    this.#exchange.close()
    if (this.#options.server === undefined) await stopListening(this.#server)
    this.#upgrades.detach()
  }
}

/** Limits that end slow or oversized handshakes long before Node's own defaults. */
function makeServer(): HubServer {
  const server = createServer(
    {
      headersTimeout: 5_000,
      requestTimeout: 10_000,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 8_192,
    },
    (_request, response) => {
      response.writeHead(426, { connection: 'close' }).end()
    },
  )
  server.maxHeadersCount = 64
  return server
}

function listen(
  server: HubServer,
  { port, host }: { readonly port: number; readonly host: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, backlog: 4_096 }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** Stops listening and ends what is left. */
function stopListening(server: HubServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

/** Where it listens; 0 when it does not. */
function portOf(server: HubServer): number {
  const address = server.address()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

/** Where clients connect. */
function urlOf(
  server: HubServer,
  { host, path = '' }: { readonly host: string; readonly path: string | undefined },
  port: number,
): string {
  const scheme = server instanceof SecureServer ? 'wss' : 'ws'
  const name = host.includes(':') ? `[${host}]` : host
  return `${scheme}://${name}:${port}${path}`
}

/** Open files that are not for connections: those of the application, name look-ups, modules that are still to be loaded. */
const RESERVED = 256

/**
 * Lets the server take fewer connections than the process may have files open: without that the process could open nothing
 * more, and every accept would fail. What comes beyond is closed at once.
 *
 * @param onDrop - called for each
 */
function leaveOpenFiles(server: HubServer, onDrop: () => void): void {
  const limit = openFileLimit()
  if (limit === Infinity) return
  server.maxConnections = Math.max(1, limit - RESERVED)
  server.on('drop', onDrop)
}

/** Where the system does not say, there is no limit to keep. */
function openFileLimit(): number {
  try {
    const [, limit] =
      /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return limit === undefined ? Infinity : Number(limit)
  } catch {
    return Infinity
  }
}
