/** What `bus.v1` promises. */
import type { ProtocolCapabilities } from '../protocol.ts'

/** The promises of a session with acknowledgements, over any hub that speaks `bus.v1`. */
export const busV1Capabilities: ProtocolCapabilities = Object.freeze({
  delivery: 'at-least-once',
  ordering: 'per-publisher',
  wildcards: true,
  publishConfirm: true,
  resume: true,
  gaps: true,
  dedupe: true,
  echo: true,
  binary: false,
})
