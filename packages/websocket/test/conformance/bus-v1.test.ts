/** The WebSocket transport over `bus.v1` keeps what it promises. */
import { transportConformance } from '@bus/testing/conformance'
import { describe, it } from 'vitest'
import { onReport } from './kept.ts'
import { busV1Medium } from './media.ts'

await transportConformance(
  { describe, it },
  {
    name: '@bus/websocket, bus.v1',
    medium: busV1Medium,
    timing: { expectMs: 8_000, quietMs: 100 },
    onReport,
  },
)
