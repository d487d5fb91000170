/** nats.js through nats-server: core publish, without acknowledgements. */
import { connect } from 'nats'
import { receiveJson, toJson } from '../workload/wire-event.ts'
import { RawConnection } from '../wire/raw-connection.ts'
import type { Contender } from './contender.ts'
import { startNatsServer } from './nats-server.ts'

/** Core NATS. */
export const natsCore: Contender = Object.freeze({
  name: 'nats',
  startBroker: async () => await startNatsServer(),
  async connectPublisher(url, { subject }) {
    const connection = await connect({ servers: url, reconnect: false })
    return {
      kind: 'emits',
      emit: (message) => {
        connection.publish(subject, toJson(message))
        return true
      },
      ready: async () => {},
      close: async () => await connection.close(),
    }
  },
  async connectSubscriber(url, { subject }, onEvent) {
    const connection = await connect({ servers: url, reconnect: false })
    connection.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) throw error
        receiveJson(message.string(), onEvent)
      },
    })
    await connection.flush()
    return { close: async () => await connection.close() }
  },
  async subscribeRaw(url) {
    const connection = await RawConnection.open(url)
    const live = connection.expect('PONG\r\n')
    connection.send('CONNECT {"verbose":false}\r\nSUB order.created 1\r\nPING\r\n')
    await live
    return { connection }
  },
} satisfies Contender)
