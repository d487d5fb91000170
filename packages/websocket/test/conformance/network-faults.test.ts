/** The WebSocket transport: bus.v1 under network faults, keeps what it promises. */
import { transportConformance } from '@bus/testing/conformance'
import { describe, it } from 'vitest'
import { onReport } from './kept.ts'
import { faultyMedium } from './media.ts'

await transportConformance(
  { describe, it },
  {
    name: '@bus/websocket, bus.v1 under network faults',
    medium: faultyMedium,
    timing: { expectMs: 8_000, quietMs: 100 },
    onReport,
  },
)
