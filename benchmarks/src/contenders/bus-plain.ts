/** Our bus over the plain JSON wire: each frame is one event, relayed by the hub to every other client. */
import { webSocketTransport, type WebSocketTransport } from '@bus/websocket'
import { createHub } from '@bus/websocket/hub'
import { plainJson } from '@bus/websocket/protocol'
import { upgradeRaw } from '../wire/web-socket.ts'
import { connectBusEmitter, connectBusSubscriber } from './bus.ts'
import type { Contender } from './contender.ts'

/** `bus.emit` through `createHub()`. */
export const busPlain: Contender = Object.freeze({
  name: 'bus-plain',
  async startBroker() {
    // Everybody comes from this machine.
    const limits = { connectionsPerIp: Infinity }
    const hub = await createHub({ allowAnonymous: true, port: 0, limits })
    return { url: hub.url, pid: process.pid }
  },
  connectPublisher: async (url) => await connectBusEmitter(transportTo(url)),
  connectSubscriber: async (url, workload, onEvent) =>
    await connectBusSubscriber(transportTo(url), workload, onEvent),
  // The relay sends everything to every client.
  subscribeRaw: async (url) => ({ connection: await upgradeRaw(url) }),
} satisfies Contender)

function transportTo(url: string): WebSocketTransport {
  return webSocketTransport({ url, protocol: plainJson() })
}
