/** What the transport promises, from its protocol and its options. */
import type { Capabilities } from '@bus/core'
import type { ResolvedOptions } from './options.ts'

/** Frozen; the same for every transport with these options. */
export function capabilitiesOf(options: ResolvedOptions): Capabilities {
  return Object.freeze({
    ...options.protocol.capabilities,
    backpressure: Object.freeze({
      inbound: 'pause',
      outbound: options.queue.strategy === 'block' ? 'block' : 'none',
    } as const),
    maxPayload: options.maxMessageBytes,
    reconnect: options.reconnect !== false,
  })
}
