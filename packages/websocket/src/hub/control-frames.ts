/** Control frames: a connection that sends more pings and pongs than a heartbeat can need is ended. */
import { systemClock } from '@bus/core'
import type { WebSocket } from 'ws'
import { closeSafely } from '../socket/socket-port.ts'
import { Rate } from './bus-v1/rate.ts'

const LIMIT = Symbol('limit')

interface Limit {
  readonly rate: Rate
  readonly onFlood: () => void
}

interface LimitedSocket extends WebSocket {
  [LIMIT]?: Limit | undefined
}

/**
 * Ends the connection with 4429 once it has sent more than `perSecond` pings and pongs, with a second's worth at once. Each
 * costs its answer, and nobody else's limits know of them.
 *
 * @param onFlood - called once, when that happens
 */
export function limitControlFrames(ws: WebSocket, perSecond: number, onFlood: () => void): void {
  if (perSecond === Infinity) return
  const limited: LimitedSocket = ws
  limited[LIMIT] = { rate: new Rate(perSecond, systemClock.now()), onFlood }
  ws.on('ping', count)
  ws.on('pong', count)
}

/** One for all sockets. */
function count(this: LimitedSocket): void {
  const limit = this[LIMIT]
  if (limit === undefined || limit.rate.take(systemClock.now())) return
  this[LIMIT] = undefined
  limit.onFlood()
  closeSafely(this, 4429, 'control frames')
}
