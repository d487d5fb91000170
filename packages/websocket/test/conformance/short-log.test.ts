/** What is promised when the hub's log forgets: that nothing is lost without a word. */
import { transportConformance } from '@bus/testing/conformance'
import { describe, it } from 'vitest'
import { shortLogMedium } from './media.ts'

await transportConformance(
  { describe, it },
  {
    name: '@bus/websocket, bus.v1 with a log that forgets',
    medium: shortLogMedium,
    only: ['G1', 'G3', 'G5', 'G14', 'H5'],
    timing: { expectMs: 8_000 },
  },
)
