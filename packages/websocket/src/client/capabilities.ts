/** What the transport promises, from its protocol and its options. */
import type { Capabilities } from '@bus/core'
import type { ProtocolCapabilities } from '../protocol/protocol.ts'
import type { ResolvedOptions } from './options.ts'

/** Frozen; the same for every transport with these options that speaks this protocol. */
export function capabilitiesOf(
  options: ResolvedOptions,
  protocol: ProtocolCapabilities,
  inbound: 'credits' | 'pause',
): Capabilities {
  return Object.freeze({
    ...protocol,
    backpressure: Object.freeze({
      inbound,
      outbound: options.queue.strategy === 'block' ? ('block' as const) : ('none' as const),
    }),
    maxPayload: options.maxMessageBytes,
    reconnect: options.reconnect !== false,
  })
}
