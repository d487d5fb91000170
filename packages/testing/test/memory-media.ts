/** A medium in memory, for the conformance suite. */
import { memoryMedium, memoryTransport } from '@bus/core/memory'
import type { Medium } from '../src/conformance/index.ts'

/** Makes the medium of one case. */
export async function memoryMediumForCases(): Promise<Medium> {
  const medium = memoryMedium()
  return {
    transport: ({ clock, queue }) =>
      memoryTransport({ medium, ...(clock && { clock }), ...(queue && { queue }) }),
    stop: async () => {},
  }
}
