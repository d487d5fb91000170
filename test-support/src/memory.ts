/** Memory transports and sinks for tests. */
import type { Event, Sink, Transport, Undeliverable } from '@bus/core'
import { memoryTransport, type MemoryTransportOptions } from '@bus/core/memory'

/** A sink that takes `room` events and then asks to wait. */
export function collector(room: number = Infinity): Sink & { readonly events: Event[] } {
  const events: Event[] = []
  return { events, deliver: (event: Event) => events.push(event) < room }
}

/** A connected transport. */
export async function ready(options: MemoryTransportOptions = {}): Promise<Transport> {
  const transport = memoryTransport(options)
  await transport.connect()
  return transport
}

/** What the transport gives up from now on. */
export const lostBy = (transport: Transport): Undeliverable[] => {
  const lost: Undeliverable[] = []
  transport.on('undeliverable', (undeliverable) => void lost.push(undeliverable))
  return lost
}
