/** Our bus over `bus.v1`: batches, acknowledgements and a log on the hub. */
import { webSocketTransport, type WebSocketTransport } from '@bus/websocket'
import { createHub } from '@bus/websocket/hub'
import { subscribeToBusV1 } from '../wire/bus-v1.ts'
import { connectBusConfirmer, connectBusEmitter, connectBusSubscriber } from './bus.ts'
import type { Broker, Contender } from './contender.ts'

/** Events that may wait in a publisher: as many as the hub's window takes, and more than a pace leaves unconfirmed. */
const CAPACITY = 16_384

/** `bus.publish`, confirmed once the event is in the hub's log; the subscriber acknowledges what its handler has had. */
export const bus: Contender = Object.freeze({
  name: 'bus',
  startBroker,
  connectPublisher: async (url) => await connectBusConfirmer(transportTo(url)),
  connectSubscriber: async (url, workload, onEvent) =>
    await connectBusSubscriber(webSocketTransport({ url }), workload, onEvent, 'at-least-once'),
  subscribeRaw: async (url) => await subscribeToBusV1(url),
} satisfies Contender)

/** `bus.emit` with `delivery: 'at-most-once'`, and a subscription of the same. */
export const busAtMostOnce: Contender = Object.freeze({
  name: 'bus-amo',
  startBroker,
  connectPublisher: async (url) => await connectBusEmitter(transportTo(url), 'at-most-once'),
  connectSubscriber: async (url, workload, onEvent) =>
    await connectBusSubscriber(webSocketTransport({ url }), workload, onEvent, 'at-most-once'),
} satisfies Contender)

async function startBroker(keep?: number): Promise<Broker> {
  // Only the number of events is to bound it.
  const log = keep === undefined ? {} : { log: { maxEvents: keep, maxBytes: 1e9 } }
  // Everybody comes from this machine.
  const limits = { connectionsPerIp: Infinity }
  const hub = await createHub({ allowAnonymous: true, port: 0, limits, ...log })
  return { url: hub.url, pid: process.pid }
}

function transportTo(url: string): WebSocketTransport {
  return webSocketTransport({ url, queue: { capacity: CAPACITY } })
}
