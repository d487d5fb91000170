/** The WebSocket transport: a pool of two, keeps what it promises. */
import { transportConformance } from '@bus/testing/conformance'
import { describe, it } from 'vitest'
import { onReport } from './kept.ts'
import { poolMedium } from './media.ts'

await transportConformance(
  { describe, it },
  {
    name: '@bus/websocket, a pool of two',
    medium: poolMedium,
    timing: { expectMs: 8_000, quietMs: 100 },
    onReport,
  },
)
