/** MQTT.js through aedes: QoS 0, and QoS 1 on both sides. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { Aedes } from 'aedes'
import { connectAsync, type MqttClient } from 'mqtt'
import { receiveJson, toJson } from '../workload/wire-event.ts'
import { RawConnection } from '../wire/raw-connection.ts'
import { addressOf } from './address.ts'
import type { Contender, Publisher, RawSubscriber } from './contender.ts'
import { HIGH_WATER_MARK, untilBelowMark } from './write-backpressure.ts'

type Qos = 0 | 1

/** At most once. */
export const mqttQos0: Contender = Object.freeze({
  ...sides('mqtt-0', 0),
  async subscribeRaw(url: string): Promise<RawSubscriber> {
    const connection = await RawConnection.open(url)
    const connected = connection.expect(Buffer.from([0x20, 0x02]))
    connection.send(connectPacket())
    await connected
    const subscribed = connection.expect(Buffer.from([0x90]))
    connection.send(subscribePacket('order.created'))
    await subscribed
    return { connection }
  },
})

/** At least once: PUBACK from the broker and from the subscriber. */
export const mqttQos1: Contender = Object.freeze(sides('mqtt-1', 1))

function sides(name: string, qos: Qos): Contender {
  return {
    name,
    async startBroker() {
      const aedes = await Aedes.createBroker({ concurrency: 1_000 })
      const server = createServer(aedes.handle)
      server.listen({ host: '127.0.0.1', port: 0, backlog: 4_096 })
      await once(server, 'listening')
      return { url: addressOf(server.address(), 'mqtt'), pid: process.pid }
    },
    async connectPublisher(url, { subject }) {
      return publisher(await connectAsync(url, { reconnectPeriod: 0 }), subject, qos)
    },
    async connectSubscriber(url, { subject }, onEvent) {
      const client = await connectAsync(url, { reconnectPeriod: 0 })
      client.on('message', (_topic, payload) => receiveJson(payload.toString(), onEvent))
      await client.subscribeAsync(subject, { qos })
      return { close: async () => await client.endAsync(true) }
    },
  }
}

function publisher(client: MqttClient, topic: string, qos: Qos): Publisher {
  const close = async (): Promise<void> => await client.endAsync(true)
  if (qos === 1) {
    return {
      kind: 'confirms',
      publish: async (message) => await client.publishAsync(topic, toJson(message), { qos }),
      close,
    }
  }
  const buffered = (): number => client.stream.writableLength
  return {
    kind: 'emits',
    emit: (message) => {
      client.publish(topic, toJson(message), { qos })
      return buffered() < HIGH_WATER_MARK
    },
    ready: async () => await untilBelowMark(buffered),
    close,
  }
}

/** MQTT 3.1.1 with a clean session, a name that the broker makes up, and no keep-alive. */
function connectPacket(): Buffer {
  const body = [...text('MQTT'), 4, 0b10, 0, 0, ...text('')]
  return Buffer.from([0x10, body.length, ...body])
}

function subscribePacket(topic: string): Buffer {
  const body = [0, 1, ...text(topic), 0]
  return Buffer.from([0x82, body.length, ...body])
}

function text(value: string): number[] {
  const bytes = Buffer.from(value)
  return [bytes.length >> 8, bytes.length & 255, ...bytes]
}
