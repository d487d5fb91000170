/** The listening socket and every socket that it accepted. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { ConnectionError } from '@bus/core'
import type { MockTlsOptions } from './options.ts'

/** Takes a handshake. */
type OnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** Listens, can stop and listen again on the same port. */
export class Listener {
  readonly #server: Server
  /** By peer, because a TLS socket does not give away the TCP socket below it, and only that one can be reset. */
  readonly #sockets = new Map<string, Socket>()

  constructor(tls: MockTlsOptions | undefined, onUpgrade: OnUpgrade) {
    this.#server =
      tls === undefined
        ? createServer(refusePlainHttp)
        : createTlsServer({ ...tls }, refusePlainHttp)
    this.#server.on('connection', (socket: Socket) => this.#track(socket))
    this.#server.on('upgrade', onUpgrade)
  }

  /** Resolves with the port once connections are accepted. */
  listen(port: number, host: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const fail = (cause: Error): void =>
        reject(new ConnectionError(`Could not listen on ${host}:${port}`, { cause }))
      this.#server.once('error', fail)
      this.#server.listen(port, host, () => {
        this.#server.removeListener('error', fail)
        resolve((this.#server.address() as AddressInfo).port)
      })
    })
  }

  /** Stops listening and destroys every socket. */
  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets.values()) socket.destroy()
    await closed
  }

  /** Breaks a connection with a TCP reset. */
  reset(socket: Duplex): void {
    this.#sockets.get(peerOf(socket as Socket))?.resetAndDestroy()
  }

  #track(socket: Socket): void {
    const peer = peerOf(socket)
    this.#sockets.set(peer, socket)
    // The close that follows an error is what the server acts upon.
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(peer))
  }
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`
}

function refusePlainHttp(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { Connection: 'close', Upgrade: 'websocket' })
  response.end()
}
