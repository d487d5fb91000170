/** The two ends of our bus over any transport. */
import {
  createBus,
  type Bus,
  type Delivery,
  type EventInit,
  type PublishReceipt,
  type Transport,
} from '@bus/core'
import { Count } from '../run/count.ts'
import { CORRELATION_ID, SOURCE, type OnEvent } from '../workload/wire-event.ts'
import type { Message, Workload } from '../workload/workload.ts'
import type { Closable, Publisher } from './contender.ts'

/** Publishes that may be unsettled where the pace does not count them. */
const MAX_UNSETTLED = 4_096

/** Publishes with `emit`. */
export async function connectBusEmitter(transport: Transport): Promise<Publisher> {
  const bus = await connected(transport)
  return {
    kind: 'emits',
    emit: ({ type, payload, sequence }) => bus.emit(type, payload, metadataOf(sequence)),
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
    publish: (message) => publish(bus, message, 'at-least-once').then(assertConfirmed),
    close: async () => await bus.close(),
  }
}

/** Publishes with `publish` at most once: its promise only tells that the event is on its way. */
export async function connectBusSender(transport: Transport): Promise<Publisher> {
  const bus = await connected(transport)
  const sent = new Count('were sent')
  const onSent = (): void => sent.add(1)
  const onFailed = (error: unknown): void => sent.fail(error)
  let published = 0
  return {
    kind: 'emits',
    emit: (message) => {
      published++
      publish(bus, message, 'at-most-once').then(onSent, onFailed)
      return published - sent.value < MAX_UNSETTLED
    },
    ready: async () => await sent.until(published - MAX_UNSETTLED / 2),
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

function publish(bus: Bus, message: Message, delivery: Delivery): Promise<PublishReceipt> {
  const { type, payload, sequence } = message
  return bus.publish(type, payload, { metadata: metadataOf(sequence), delivery })
}

function assertConfirmed({ status }: PublishReceipt): void {
  if (status !== 'confirmed') throw new Error(`The event was ${status}, not confirmed`)
}

function metadataOf(sequence: number): EventInit {
  return { source: SOURCE, correlationId: CORRELATION_ID, sequence }
}
