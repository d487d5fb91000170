/** Hands an encoded event to a feed: decoded for it alone, as over a wire. */
import type { Codec } from '../codec/codec.ts'
import type { Event } from '../contract/event.ts'
import type { TransportEvents } from '../contract/transport.ts'
import type { Emitter } from '../observe/emitter.ts'
import type { MemoryFeed } from './memory-medium.ts'
import type { Parcel } from './memory-outbox.ts'

/** Decodes once per subscription, so that each handler gets a payload of its own; tells of what cannot be decoded. */
export function deliver(
  { frame }: Parcel,
  feed: MemoryFeed,
  codec: Codec,
  notices: Emitter<TransportEvents>,
): void {
  let event: Event
  try {
    event = codec.decode(frame)
  } catch (thrown) {
    const error = thrown as Error
    notices.emit('error', { kind: 'decode', error })
    notices.emit('undeliverable', {
      reason: 'undecodable',
      direction: 'inbound',
      error,
      attempts: 0,
      raw: frame,
    })
    return
  }
  feed.deliver(event)
}
