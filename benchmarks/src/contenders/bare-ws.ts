/** A relay of bare `ws`: what one frame per event costs without any bus around it. */
import { once } from 'node:events'
import { WebSocket, WebSocketServer } from 'ws'
import { receiveJson, toJson } from '../workload/wire-event.ts'
import { upgradeRaw } from '../wire/web-socket.ts'
import type { Contender } from './contender.ts'
import { HIGH_WATER_MARK, untilBelowMark } from './write-backpressure.ts'
import { addressOf } from './address.ts'

/** One text frame per event, relayed to every other connection. */
export const bareWs: Contender = Object.freeze({
  name: 'ws',
  async startBroker() {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, backlog: 4_096 })
    const sockets = new Set<WebSocket>()
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      socket.on('message', (data) => {
        for (const other of sockets) if (other !== socket) other.send(data, { binary: false })
      })
    })
    await once(server, 'listening')
    return { url: addressOf(server.address(), 'ws'), pid: process.pid }
  },
  async connectPublisher(url) {
    const socket = await open(url)
    return {
      kind: 'emits',
      emit: (message) => {
        socket.send(toJson(message))
        return socket.bufferedAmount < HIGH_WATER_MARK
      },
      ready: async () => await untilBelowMark(() => socket.bufferedAmount),
      close: () => socket.terminate(),
    }
  },
  async connectSubscriber(url, _workload, onEvent) {
    const socket = await open(url)
    socket.on('message', (data) => receiveJson((data as Buffer).toString(), onEvent))
    return { close: () => socket.terminate() }
  },
  subscribeRaw: async (url) => ({ connection: await upgradeRaw(url) }),
} satisfies Contender)

async function open(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false })
  await once(socket, 'open')
  return socket
}
