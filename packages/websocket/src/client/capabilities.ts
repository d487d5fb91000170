/** What the transport promises, from its protocol and its options. */
import type { Capabilities } from '@bus/core'
import type { ProtocolCapabilities } from '../protocol/protocol.ts'
import type { ResolvedOptions } from './options/options.ts'
import type { Session } from './link/session.ts'

/** Those of one transport: the same object as long as the same is promised. */
export class CurrentCapabilities {
  readonly #options: ResolvedOptions
  #promised: ProtocolCapabilities | undefined
  #capabilities: Capabilities | undefined

  constructor(options: ResolvedOptions) {
    this.#options = options
  }

  /** With a server that does not speak the session's protocol another session stands in, which promises less. */
  with({ capabilities, pausesReading }: Session): Capabilities {
    if (this.#capabilities === undefined || this.#promised !== capabilities) {
      this.#promised = capabilities
      const inbound = pausesReading ? 'pause' : 'credits'
      this.#capabilities = capabilitiesOf(this.#options, capabilities, inbound)
    }
    return this.#capabilities
  }
}

/** Frozen; the same for every transport with these options that speaks this protocol. */
function capabilitiesOf(
  options: ResolvedOptions,
  protocol: ProtocolCapabilities,
  inbound: 'credits' | 'pause',
): Capabilities {
  return Object.freeze({
    ...protocol,
    // What is urgent passes by what was published before it.
    ...(options.rateLimit?.priority === undefined ? {} : { ordering: 'none' as const }),
    backpressure: Object.freeze({
      inbound,
      outbound: options.queue.strategy === 'block' ? ('block' as const) : ('none' as const),
    }),
    maxPayload: options.maxMessageBytes,
    reconnect: options.reconnect !== false,
  })
}
