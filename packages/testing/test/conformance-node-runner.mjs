// The suite under `node --test`, on the built packages: two cases on the memory transport.
import { describe, it } from 'node:test'
import { memoryMedium, memoryTransport } from '@bus/core/memory'
import { transportConformance } from '@bus/testing/conformance'

await transportConformance(
  { describe, it },
  {
    name: 'memory',
    only: ['A1', 'B1'],
    medium: async () => {
      const medium = memoryMedium()
      return { transport: () => memoryTransport({ medium }), stop: async () => {} }
    },
    onReport: ({ cases }) => console.log(cases.map(({ id, status }) => `${id} ${status}`).join()),
  },
)
