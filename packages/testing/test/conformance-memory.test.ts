/** The memory transport passes the conformance suite. */
import { describe, it } from 'vitest'
import { keptReport, transportConformance } from '../src/conformance/index.ts'
import { memoryMediumForCases } from './memory-media.ts'

await transportConformance(
  { describe, it },
  {
    name: 'memory',
    medium: memoryMediumForCases,
    timing: { expectMs: 5_000, quietMs: 50 },
    // `npm run conformance` writes it anew.
    onReport: keptReport(new URL('../../../docs/conformance.json', import.meta.url), {
      update: process.env['UPDATE_CONFORMANCE'] === '1',
    }),
  },
)
