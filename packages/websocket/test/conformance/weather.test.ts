/** The WebSocket transport: bus.v1 in bad weather, keeps what it promises. */
import { transportConformance } from '@bus/testing/conformance'
import { describe, it } from 'vitest'
import { onReport } from './kept.ts'
import { weatherMedium } from './media.ts'

await transportConformance(
  { describe, it },
  {
    name: '@bus/websocket, bus.v1 in bad weather',
    medium: weatherMedium,
    timing: { expectMs: 8_000, quietMs: 100 },
    onReport,
  },
)
