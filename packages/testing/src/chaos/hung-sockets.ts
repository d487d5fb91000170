/** Sockets that are accepted and never answered. */
import type { Socket } from 'node:net'

/** Nothing is read from them, so what a client says stays in the buffers of the system, which are bounded. */
export class HungSockets {
  readonly #sockets = new Set<Socket>()

  add(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => this.#sockets.delete(socket))
  }

  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }
}
