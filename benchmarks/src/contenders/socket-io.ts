/** Socket.IO: rooms on the server, JSON by the library, with and without acknowledgements. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { io, type Socket as ClientSocket } from 'socket.io-client'
import { receive, toWire, type WireEvent } from '../workload/wire-event.ts'
import { textFrame, upgradeRaw } from '../wire/web-socket.ts'
import { addressOf } from './address.ts'
import type { Contender } from './contender.ts'

const sides = {
  async startBroker() {
    const http = createServer()
    const server = new Server(http, { transports: ['websocket'], serveClient: false })
    server.on('connection', (socket) => {
      const { room } = socket.handshake.query
      if (typeof room === 'string') void socket.join(room)
      socket.on('event', (subject: string, event: WireEvent, confirm?: () => void) => {
        server.to(subject).emit('event', event)
        confirm?.()
      })
    })
    http.listen({ host: '127.0.0.1', port: 0, backlog: 4_096 })
    await once(http, 'listening')
    return { url: addressOf(http.address(), 'ws'), pid: process.pid }
  },
  async connectSubscriber(url, { subject }, onEvent) {
    const socket = await open(url, subject)
    socket.on('event', (event: WireEvent) => receive(event, onEvent))
    return { close: () => void socket.disconnect() }
  },
} satisfies Pick<Contender, 'startBroker' | 'connectSubscriber'>

/** `emit` through the server to a room. */
export const socketIo: Contender = Object.freeze({
  ...sides,
  name: 'socket.io',
  async connectPublisher(url, { subject }) {
    const socket = await open(url)
    return {
      kind: 'emits',
      emit: (message) => {
        socket.emit('event', subject, toWire(message))
        return true
      },
      ready: async () => {},
      close: () => void socket.disconnect(),
    }
  },
  async subscribeRaw(url) {
    const connection = await upgradeRaw(
      `${url}/socket.io/?EIO=4&transport=websocket&room=order.created`,
    )
    const connected = connection.expect('40{')
    connection.send(textFrame('40'))
    await connected
    return { connection }
  },
} satisfies Contender)

/** `emitWithAck`: the server answers once it has relayed the event. */
export const socketIoAck: Contender = Object.freeze({
  ...sides,
  name: 'socket.io-ack',
  async connectPublisher(url, { subject }) {
    const socket = await open(url)
    return {
      kind: 'confirms',
      publish: async (message) => {
        await socket.emitWithAck('event', subject, toWire(message))
      },
      close: () => void socket.disconnect(),
    }
  },
} satisfies Contender)

async function open(url: string, room?: string): Promise<ClientSocket> {
  const query = room === undefined ? {} : { room }
  const socket = io(url, { transports: ['websocket'], forceNew: true, reconnection: false, query })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('connect_error', reject)
  })
  return socket
}
