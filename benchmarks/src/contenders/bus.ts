/** The two ends of our bus over any transport. */
import { createBus, type Bus, type EventInit, type Transport } from '@bus/core'
import { CORRELATION_ID, SOURCE, type OnEvent } from '../workload/wire-event.ts'
import type { Workload } from '../workload/workload.ts'
import type { Closable, ConfirmingPublisher, Publisher } from './contender.ts'

/** Publishes with `emit`, or with `publish` whose promise is the confirmation. */
export async function connectBusPublisher(
  transport: Transport,
  kind: Publisher['kind'],
): Promise<Publisher> {
  const bus = await connected(transport)
  const close = async (): Promise<void> => await bus.close()
  if (kind === 'confirms') return { kind, publish: confirmedBy(bus), close }
  return {
    kind,
    emit: ({ type, payload, sequence }) => bus.emit(type, payload, metadataOf(sequence)),
    ready: async () => {
      await new Promise<void>((resolve) => {
        bus.on('ready', () => resolve(), { once: true })
      })
    },
    close,
  }
}

function confirmedBy(bus: Bus): ConfirmingPublisher['publish'] {
  if (!bus.capabilities.publishConfirm) {
    throw new Error('The transport does not confirm what is published')
  }
  return async ({ type, payload, sequence }) => {
    const { status } = await bus.publish(type, payload, { metadata: metadataOf(sequence) })
    if (status !== 'confirmed') throw new Error(`The event was ${status}, not confirmed`)
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
