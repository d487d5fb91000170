/** Closing: the end of every room of a client, in the order in which they need each other. */
import type { BusError, CloseOptions } from '@bus/core'
import type { Rooms } from './rooms.ts'

/**
 * Resolves when nothing is left: no socket, no timer, no listener.
 *
 * @param error - what everybody who waits is told
 * @param cause - why, where nobody asked for it
 */
export async function closeRooms(
  rooms: Rooms,
  options: CloseOptions,
  error: BusError,
  cause: BusError | undefined,
): Promise<void> {
  const { tap, reconnector, writer, outbox, subscriptions, readiness } = rooms
  const { breaker, lifecycle, notices } = rooms
  const { link } = reconnector
  tap.close()
  reconnector.stop()
  writer.detach()
  outbox.close(cause)
  rooms.rateGate?.close(error)
  subscriptions.close(error)
  readiness.ended(cause ?? error)
  breaker?.close()
  const last = rooms.session.last()
  rooms.session.close()
  if (link !== undefined) {
    // A write that fails now has nobody to tell: the link is over either way.
    if (last !== undefined) void link.send(last).catch(() => {})
    link.close(options.code ?? 1000, options.reason ?? '')
    await link.closed
  }
  const { state } = lifecycle
  if (state !== 'closed') lifecycle.enter(state, { state: 'closed', cause })
  await rooms.recording?.stop()
  // Called by a listener, the last notice is told only after that listener has returned.
  await Promise.resolve()
  notices.clear()
}
