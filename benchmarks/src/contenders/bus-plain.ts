/** Our bus over the plain JSON wire: each frame is one event, relayed by the hub to everybody else. */
import { webSocketTransport } from '@bus/websocket'
import { createHub } from '@bus/websocket/hub'
import { upgradeRaw } from '../wire/web-socket.ts'
import { connectBusPublisher, connectBusSubscriber } from './bus.ts'
import type { Contender } from './contender.ts'

/** `bus.emit` through `createHub()`. */
export const busPlain: Contender = Object.freeze({
  name: 'bus-plain',
  async startBroker() {
    const hub = await createHub({ allowAnonymous: true })
    return { url: hub.url, pid: process.pid }
  },
  connectPublisher: async (url) => await connectBusPublisher(webSocketTransport({ url }), 'emits'),
  connectSubscriber: async (url, workload, onEvent) =>
    await connectBusSubscriber(webSocketTransport({ url }), workload, onEvent),
  // The relay sends everything to everybody.
  subscribeRaw: async (url) => await upgradeRaw(url),
} satisfies Contender)
