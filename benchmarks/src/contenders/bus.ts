/** The two ends of our bus over any transport. */
import { createBus, type Bus, type EventInit, type Transport } from '@bus/core'
import { CORRELATION_ID, SOURCE, type OnEvent } from '../workload/wire-event.ts'
import type { Workload } from '../workload/workload.ts'
import type { Closable, ConfirmingPublisher, EmittingPublisher } from './contender.ts'

/** Publishes with `emit`. */
export async function connectBusPublisher(transport: Transport): Promise<EmittingPublisher> {
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
export async function connectConfirmingBus(transport: Transport): Promise<ConfirmingPublisher> {
  if (!transport.capabilities.publishConfirm) {
    throw new Error(`${transport.name} does not confirm what is published`)
  }
  const bus = await connected(transport)
  return {
    kind: 'confirms',
    publish: async ({ type, payload, sequence }) => {
      const { status } = await bus.publish(type, payload, { metadata: metadataOf(sequence) })
      if (status !== 'confirmed') throw new Error(`The event was ${status}, not confirmed`)
    },
    close: async () => await bus.close(),
  }
}

/** Subscribes with a handler that is called in turn. */
export async function connectBusSubscriber(
  transport: Transport,
  { pattern }: Workload,
  onEvent: OnEvent,
): Promise<Closable> {
  const bus = await connected(transport)
  await bus.subscribe(pattern, ({ payload, metadata }) => {
    onEvent(payload, metadata['sequence'] as number)
  })
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

function metadataOf(sequence: number): EventInit {
  return { source: SOURCE, correlationId: CORRELATION_ID, sequence }
}
