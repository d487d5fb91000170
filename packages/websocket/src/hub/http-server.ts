/** The HTTP server of a hub: one of its own, or one that the application gave. */
import { createServer } from 'node:http'
import { Server as SecureServer } from 'node:https'
import type { HubServer } from './options.ts'

/** Limits that end slow or oversized handshakes long before Node's own defaults. */
export function makeServer(): HubServer {
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

export function listen(
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
export function stopListening(server: HubServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

/** Where it listens; 0 when it does not. */
export function portOf(server: HubServer): number {
  const address = server.address()
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

/** Where clients connect. */
export function urlOf(
  server: HubServer,
  { host, path = '' }: { readonly host: string; readonly path: string | undefined },
  port: number,
): string {
  const scheme = server instanceof SecureServer ? 'wss' : 'ws'
  const name = host.includes(':') ? `[${host}]` : host
  return `${scheme}://${name}:${port}${path}`
}
