/** What the memory transport promises. */
import { constants } from 'node:buffer'
import type { Capabilities } from '../contract/capabilities.ts'

export const MEMORY_CAPABILITIES: Capabilities = Object.freeze({
  // A process that ends takes its events along.
  delivery: 'at-most-once',
  ordering: 'per-publisher',
  wildcards: true,
  publishConfirm: true,
  resume: false,
  gaps: false,
  dedupe: false,
  echo: true,
  backpressure: Object.freeze({ inbound: 'pause', outbound: 'block' } as const),
  binary: false,
  maxPayload: constants.MAX_STRING_LENGTH,
  reconnect: false,
})
