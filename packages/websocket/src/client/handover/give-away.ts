/** Giving away: what a handle has goes to whoever adopts it, and the handle keeps rooms in which nothing happens. */
import { DetachedError } from '@bus/core'
import { plainJson } from '../../protocol/plain-json.ts'
import { closeRooms } from '../close-rooms.ts'
import type { Handover } from './handover.ts'
import { LiveHandover } from './live-handover.ts'
import type { ResolvedOptions, WebSocketTransportOptions } from '../options/options.ts'
import { newPossession, type Possession } from './possession.ts'
import { Rooms } from '../rooms.ts'

/** Of one's own, or what another handle had. @throws `ConfigError`, or why it cannot be taken over */
export function possessionOf(options: WebSocketTransportOptions | Handover): Possession {
  return options instanceof LiveHandover
    ? LiveHandover.take(options)
    : newPossession(options as WebSocketTransportOptions)
}

/** At once: no frame and no call can come in between. */
export function giveAway(possession: Possession): {
  readonly handover: Handover
  /** What is left to the handle. */
  readonly left: Rooms
} {
  const why = new DetachedError('The connection was given to another owner', {
    outcome: 'not-sent',
  })
  leave(possession.rooms, why)
  return { handover: new LiveHandover(possession), left: emptyRooms(possession.options, why) }
}

/** Rooms in which nobody ever was: what is left to a handle that has given its own away. */
function emptyRooms(options: ResolvedOptions, why: DetachedError): Rooms {
  const { capabilities } = options.protocol
  const rooms = new Rooms(
    Object.freeze({
      ...options,
      // Nothing of what went along may be used, let alone closed, from here.
      protocol: { ...plainJson(), capabilities },
      telemetry: { ...options.telemetry, id: undefined },
      record: undefined,
      metrics: undefined,
      handlers: undefined,
      rateLimit: undefined,
    }),
  )
  // There is nothing that it could have to wait for.
  void closeRooms(rooms, {}, why, why)
  return rooms
}

/** The owner goes: what it waits for ends, and what it subscribed to is parked. */
function leave(rooms: Rooms, why: DetachedError): void {
  rooms.observation.handover('detached')
  rooms.subscriptions.park(why)
  rooms.tap.release()
  rooms.readiness.refuse(why)
  rooms.isReadyAwaited = false
}
