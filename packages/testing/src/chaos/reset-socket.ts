/** Ends a socket with a TCP reset. */
import type { Socket } from 'node:net'

/**
 * At once. A socket whose end is on its way to the system cannot be reset, and Node would forget its handle open; the other side
 * has been told of that end, so it is closed.
 */
export function resetSocket(socket: Socket): void {
  const isEnding = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0
  if (isEnding) socket.destroy()
  else socket.resetAndDestroy()
}
