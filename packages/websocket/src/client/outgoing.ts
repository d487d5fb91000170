/** The way out of one event: written now, sent when there is a link. */
import {
  checkedEvent,
  withDeadline,
  type BusError,
  type Clock,
  type Delivery,
  type DrainOptions,
  type Event,
  type PublishOptions,
  type PublishReceipt,
} from '@bus/core'
import type { Frame } from '../protocol/protocol.ts'
import type { Rooms } from './rooms.ts'

/** Settles with what became of the event. */
export function publishIn(
  rooms: Rooms,
  given: Event,
  options: PublishOptions,
): Promise<PublishReceipt> {
  let event: Event
  let frame: Frame
  try {
    event = checkedEvent(given)
    frame = rooms.session.encode(event)
  } catch (error) {
    return Promise.reject(error)
  }
  rooms.reconnector.start()
  const isConfirmed = mayConfirm(rooms, options.delivery)
  return rooms.observation.publish(rooms.outbox.publish(event, frame, isConfirmed, options))
}

/** `false` asks to wait for room. */
export function emitIn(rooms: Rooms, given: Event, delivery: Delivery | undefined): boolean {
  let event: Event
  let frame: Frame
  try {
    event = checkedEvent(given)
    frame = rooms.session.encode(event)
  } catch (error) {
    return rooms.tellRefused(given, error as BusError)
  }
  rooms.reconnector.start()
  const hasRoom = rooms.outbox.emit(event, frame, mayConfirm(rooms, delivery), delivery)
  if (!hasRoom) rooms.isReadyAwaited = true
  return hasRoom
}

/** Nothing new is taken from now on; what was taken still goes. */
export function beginDraining(rooms: Rooms): void {
  const { lifecycle } = rooms
  rooms.isDraining = true
  if (lifecycle.state === 'ready') lifecycle.enter('ready', { state: 'draining' })
}

/** Sends what was accepted, as long as there is time; the ids of what is left. */
export async function emptyOutbox(
  { outbox }: Rooms,
  { timeoutMs = 30_000, signal }: DrainOptions,
  clock: Clock,
): Promise<readonly string[]> {
  const limits = { timeoutMs, clock, what: 'Draining', signal }
  // Running out of time is no error here: whoever asked is told what was left.
  await withDeadline(() => outbox.whenEmpty(), limits).catch(() => {})
  return outbox.close(undefined)
}

function mayConfirm({ session }: Rooms, delivery: Delivery | undefined): boolean {
  return session.capabilities.publishConfirm && delivery !== 'at-most-once'
}
