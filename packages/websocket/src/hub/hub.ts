/** The hub: a WebSocket server that takes each event once and gives it to everybody who wants it. */
import { Bridge } from './bridge.ts'
import { Exchange } from './bus-v1/exchange.ts'
import { Door } from './door.ts'
import type { HubStats } from './hub-stats.ts'
import { listen, makeServer, portOf, stopListening, urlOf } from './http-server.ts'
import { resolveHubOptions, type HubOptions } from './options.ts'
import { Relay } from './relay.ts'

/** How peers are sent away. */
export interface HubDrainOptions {
  /** Milliseconds over which peers of `bus.v1` are asked to spread their return. @default 0 */
  readonly spreadMs?: number
}

/** A running hub. */
export interface Hub extends AsyncDisposable {
  /** Where clients connect: `ws://host:port` with the path, `wss` on a secure server of yours. */
  readonly url: string
  /** Where it listens; 0 while a server of yours does not. */
  readonly port: number
  stats(): HubStats
  /**
   * Ends every session of a principal and closes its connections with 4403. It may come back; refuse it in
   * `authenticate` if it must not.
   *
   * @returns how many sessions there were
   */
  revoke(principalId: string): number
  /**
   * Takes no connection and no event any more, sends every peer away and waits until all are gone. {@link close} is
   * what is left to do. Idempotent.
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
  const resolved = resolveHubOptions(options)
  const server = resolved.server ?? makeServer()
  const relay = new Relay({
    ...resolved,
    onFrame: (data, isBinary) => bridge.fromPlain(data, isBinary),
    onRoom: () => exchange.wake(),
  })
  const exchange = new Exchange(resolved, {
    onPublished: (offset) => bridge.toPlain(offset),
    isBlocked: () => relay.isFull,
  })
  const bridge = new Bridge(exchange, relay)
  const door = new Door(server, resolved, {
    get connections() {
      return relay.size + exchange.size
    },
    admit: (credentials) => exchange.admit(credentials),
    joinBusV1: (ws, tcp, request, principal) => exchange.join(ws, tcp, request, principal),
    joinPlain: (ws, tcp) => relay.add(ws, tcp),
  })
  try {
    if (resolved.server === undefined) await listen(server, resolved)
  } catch (error) {
    door.stop()
    exchange.close()
    throw error
  }
  let draining: Promise<void> | undefined
  const drain = ({ spreadMs = 0 }: HubDrainOptions = {}): Promise<void> =>
    (draining ??= sendAway(door, relay, exchange, spreadMs))
  let closing: Promise<void> | undefined
  const close = (): Promise<void> =>
    (closing ??= drain().then(() => {
      exchange.close()
      return resolved.server === undefined ? stopListening(server) : undefined
    }))
  let port = portOf(server)
  // Still told when it is closed, for whoever starts the next one there.
  const getPort = (): number => (port = portOf(server) || port)
  return {
    get url() {
      return urlOf(server, resolved, getPort())
    },
    get port() {
      return getPort()
    },
    stats: () => {
      const busV1 = exchange.stats()
      const plain = relay.stats()
      const connections = plain.connections + busV1.connections
      return { ...plain, connections, unbridged: bridge.unbridged, busV1 }
    },
    revoke: (principalId) => exchange.revoke(principalId),
    drain,
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function sendAway(
  door: Door,
  relay: Relay,
  exchange: Exchange,
  spreadMs: number,
): Promise<void> {
  door.stop()
  const gone = [relay.whenEmpty(), exchange.drain(spreadMs)]
  // ws itself destroys a socket whose peer does not answer within `closeMs`.
  relay.closeAll(1001, 'the hub is closing')
  await Promise.all(gone)
}
