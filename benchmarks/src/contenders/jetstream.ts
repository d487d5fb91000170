/** JetStream through nats-server: a stream in memory, a PubAck for each publish, an ack for each message. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AckPolicy, DiscardPolicy, StorageType, connect, type NatsConnection } from 'nats'
import { receiveJson, toJson } from '../workload/wire-event.ts'
import type { Contender } from './contender.ts'
import { startNatsServer } from './nats-server.ts'

const STREAM = 'events'
const MIB = 1_048_576

/** JetStream with publishes under way, not one at a time. */
export const jetStream: Contender = Object.freeze({
  name: 'jetstream',
  async startBroker() {
    const directory = mkdtempSync(join(tmpdir(), 'bench-jetstream-'))
    process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
    const broker = await startNatsServer('-js', '-sd', directory)
    const connection = await connect({ servers: broker.url })
    const manager = await connection.jetstreamManager()
    await manager.streams.add({
      name: STREAM,
      subjects: ['*.created', '*.delivery'],
      storage: StorageType.Memory,
      max_bytes: 256 * MIB,
      discard: DiscardPolicy.Old,
    })
    await connection.close()
    return broker
  },
  async connectPublisher(url, { subject }) {
    const connection = await open(url)
    const stream = connection.jetstream()
    return {
      kind: 'confirms',
      publish: async (message) => {
        const { duplicate } = await stream.publish(subject, toJson(message))
        if (duplicate) throw new Error('The stream took the event for a duplicate')
      },
      close: async () => await connection.close(),
    }
  },
  async connectSubscriber(url, { subject }, onEvent) {
    const connection = await open(url)
    const manager = await connection.jetstreamManager()
    await manager.consumers.add(STREAM, {
      durable_name: 'handler',
      ack_policy: AckPolicy.Explicit,
      filter_subject: subject,
      max_ack_pending: 10_000,
    })
    await consume(connection, onEvent)
    return { close: async () => await connection.close() }
  },
} satisfies Contender)

async function open(url: string): Promise<NatsConnection> {
  // By default each request takes a stack trace along, which costs more than the request.
  return await connect({ servers: url, reconnect: false, noAsyncTraces: true })
}

async function consume(
  connection: NatsConnection,
  onEvent: (payload: unknown, sequence: number) => void,
): Promise<void> {
  const consumer = await connection.jetstream().consumers.get(STREAM, 'handler')
  await consumer.consume({
    max_messages: 5_000,
    callback: (message) => {
      receiveJson(message.string(), onEvent)
      message.ack()
    },
  })
}
