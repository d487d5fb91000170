/** Several transports that act as one keep their guarantees together. */
import { combinedTransport, transportPool } from '@bus/compose'
import type { Clock, Transport } from '@bus/core'
import { memoryMedium, memoryTransport, type MemoryMedium } from '@bus/core/memory'
import { describe, it } from 'vitest'
import {
  transportConformance,
  type Medium,
  type TransportSettings,
} from '../src/conformance/index.ts'

const clockOf = ({ clock }: TransportSettings): { clock?: Clock } =>
  clock === undefined ? {} : { clock }

const member = (medium: MemoryMedium, settings: TransportSettings): Transport =>
  memoryTransport({
    medium,
    ...clockOf(settings),
    ...(settings.queue && { queue: settings.queue }),
  })

const stop = async (): Promise<void> => {}

/** Two ways to one medium, of which each event takes one. */
async function pool(): Promise<Medium> {
  const shared = memoryMedium()
  return {
    transport: (settings) =>
      transportPool({
        transports: [0, 1].map(() => member(shared, settings)),
        ...clockOf(settings),
      }),
    stop,
  }
}

/** Two media, and each event goes over both. */
async function overBoth(): Promise<Medium> {
  const media = [memoryMedium(), memoryMedium()]
  return {
    transport: (settings) =>
      combinedTransport({
        transports: media.map((medium) => member(medium, settings)),
        publish: 'all',
        ...clockOf(settings),
      }),
    stop,
  }
}

await transportConformance(
  { describe, it },
  {
    name: 'a pool over memory',
    medium: pool,
    timing: { expectMs: 5_000, quietMs: 40 },
  },
)

await transportConformance(
  { describe, it },
  {
    name: 'memory over two media at once',
    medium: overBoth,
    timing: { expectMs: 5_000, quietMs: 40 },
  },
)
