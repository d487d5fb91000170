/** The WebSocket transport: plain JSON, keeps what it promises. */
import { transportConformance } from '@bus/testing/conformance'
import { describe, it } from 'vitest'
import { onReport } from './kept.ts'
import { plainJsonMedium } from './media.ts'

await transportConformance(
  { describe, it },
  {
    name: '@bus/websocket, plain JSON',
    medium: plainJsonMedium,
    timing: { expectMs: 8_000, quietMs: 100 },
    onReport,
  },
)
