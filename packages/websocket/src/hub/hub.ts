/** The hub: a WebSocket server that relays each event to every other connection. */
import { createServer } from 'node:http'
import { Server as SecureServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import {
  resolveHubOptions,
  type HubOptions,
  type HubServer,
  type ResolvedHubOptions,
} from './options.ts'
import type { HubStats } from './hub-stats.ts'
import { Relay } from './relay.ts'

/** A running hub. */
export interface Hub extends AsyncDisposable {
  /** Where clients connect: `ws://host:port` with the path, `wss` on a secure server of yours. */
  readonly url: string
  /** Where it listens; 0 while a server of yours does not. */
  readonly port: number
  stats(): HubStats
  /** Tells every peer to come back later, waits for their answers, and stops listening. Idempotent. */
  close(): Promise<void>
}

/**
 * Starts a hub for the plain wire: every frame goes to every other connection, nothing is stored. What a link loses when
 * it breaks is lost; a slow reader slows the publishers down instead of losing events.
 *
 * @throws `ConfigError` for a bad option; the system's error when the port cannot be listened on.
 */
export async function createHub(options: HubOptions = {}): Promise<Hub> {
  const resolved = resolveHubOptions(options)
  const server = resolved.server ?? makeServer()
  const relay = new Relay(resolved)
  const upgrades = acceptUpgrades(server, resolved, relay)
  if (resolved.server === undefined) await listen(server, resolved)
  let port = portOf(server)
  // Still told when it is closed, for whoever starts the next one there.
  const getPort = (): number => (port = portOf(server) || port)
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= closeHub(server, resolved, relay, upgrades))
  return {
    get url() {
      return urlOf(server, resolved, getPort())
    },
    get port() {
      return getPort()
    },
    stats: () => relay.stats(),
    close,
    [Symbol.asyncDispose]: close,
  }
}

interface Upgrades {
  /** Accepts no further upgrade. */
  stop(): void
}

function acceptUpgrades(server: HubServer, options: ResolvedHubOptions, relay: Relay): Upgrades {
  // The types of ws do not know `closeTimeout` and the fragment limits of 8.23 yet.
  const limits: object = {
    maxFragments: 1_024,
    maxBufferedChunks: 16_384,
    closeTimeout: options.closeMs,
  }
  const sockets = new WebSocketServer({
    ...limits,
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: options.maxMessageBytes,
    // Without this ws accepts the first subprotocol that it is offered, whatever it is.
    handleProtocols: () => false,
  })
  const onUpgrade = (
    request: Parameters<WebSocketServer['handleUpgrade']>[0],
    socket: Duplex,
    head: Buffer,
  ): void => {
    socket.on('error', () => socket.destroy())
    if (options.path !== undefined && pathOf(request.url) !== options.path) {
      // Another listener of that server may serve the path.
      if (server.listenerCount('upgrade') === 1) refuse(socket)
      return
    }
    sockets.handleUpgrade(request, socket, head, (ws) => relay.add(ws, socket))
  }
  server.on('upgrade', onUpgrade)
  return { stop: () => void server.off('upgrade', onUpgrade) }
}

/** Without its query. Not parsed as a URL: what a stranger sends may be none. */
function pathOf(target = '/'): string {
  return target.split('?', 1)[0] ?? target
}

function refuse(socket: Duplex): void {
  // The other side may never close its half.
  socket.once('finish', () => socket.destroy())
  // Fixed text only: nothing of the request may get into an answer's headers.
  socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
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

function listen(server: HubServer, { port, host }: ResolvedHubOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, backlog: 4_096 }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function portOf(server: HubServer): number {
  const address = server.address()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

function urlOf(server: HubServer, { host, path = '' }: ResolvedHubOptions, port: number): string {
  const scheme = server instanceof SecureServer ? 'wss' : 'ws'
  const name = host.includes(':') ? `[${host}]` : host
  return `${scheme}://${name}:${port}${path}`
}

async function closeHub(
  server: HubServer,
  options: ResolvedHubOptions,
  relay: Relay,
  upgrades: Upgrades,
): Promise<void> {
  upgrades.stop()
  const gone = relay.whenEmpty()
  // ws itself destroys a socket whose peer does not answer within `closeMs`.
  relay.closeAll(1001, 'the hub is closing')
  await gone
  if (options.server !== undefined) return
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
