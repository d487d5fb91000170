/** The two ends of our bus over any transport. */
import {
  createBus,
  type Bus,
  type Delivery,
  type EventInit,
  type PublishReceipt,
  type Transport,
} from '@bus/core'
import { CORRELATION_ID, SOURCE, type OnEvent } from '../workload/wire-event.ts'
import type { Message, Workload } from '../workload/workload.ts'
import type { Closable, Publisher } from './contender.ts'

/** Publishes with `emit`. */
export async function connectBusEmitter(
  transport: Transport,
  delivery?: Delivery,
): Promise<Publisher> {
  const bus = await connected(transport)
  // Literals, as an application writes them: a spread would cost more than the bus.
  const optionsOf = (sequence: number) =>
    delivery === undefined
      ? { metadata: metadataOf(sequence) }
      : { delivery, metadata: metadataOf(sequence) }
  return {
    kind: 'emits',
    emit: ({ type, payload, sequence }) => bus.emit(type, payload, optionsOf(sequence)),
    ready: async () => {
      await new Promise<void>((resolve) => {
        bus.on('ready', () => resolve(), { once: true })
      })
    },
    close: async () => await bus.close(),
  }
}

/** Publishes with `publish`, whose promise is the confirmation. */
export async function connectBusConfirmer(transport: Transport): Promise<Publisher> {
  const bus = await connected(transport)
  if (!bus.capabilities.publishConfirm) {
    throw new Error('The transport does not confirm what is published')
  }
  return {
    kind: 'confirms',
    publish: (message) => publish(bus, message),
    close: async () => await bus.close(),
  }
}

/** Subscribes with a handler that is called in turn; without `delivery`, with the most that the transport promises. */
export async function connectBusSubscriber(
  transport: Transport,
  { pattern }: Workload,
  onEvent: OnEvent,
  delivery?: Delivery,
): Promise<Closable> {
  const bus = await connected(transport)
  await bus.subscribe(
    pattern,
    ({ payload, metadata }) => {
      onEvent(payload, metadata['sequence'] as number)
    },
    delivery === undefined ? {} : { delivery },
  )
  return { close: async () => await bus.close() }
}

async function connected(transport: Transport): Promise<Bus> {
  const fail = (error: Error): void => {
    throw error
  }
  const bus = createBus({ transport, deadLetters: false, onError: fail })
  await bus.connect()
  return bus
}

/** Demands what it measures: less than a confirmation rejects. */
function publish(bus: Bus, message: Message): Promise<PublishReceipt> {
  const { type, payload, sequence } = message
  return bus.publish(type, payload, { metadata: metadataOf(sequence), delivery: 'at-least-once' })
}

function metadataOf(sequence: number): EventInit {
  return { source: SOURCE, correlationId: CORRELATION_ID, sequence }
}
