/** The protocol of our own hub: batches, acknowledgements, resuming, gaps. */
import { checkOptions, falseOr, withMethods, type Event } from '@bus/core'
import { HubMessageReader } from '../../protocol/bus-v1/hub-lines.ts'
import { SUBPROTOCOL } from '../../protocol/bus-v1/limits.ts'
import { plainJson } from '../../protocol/plain-json.ts'
import type { Frame, Protocol, ProtocolReceiver } from '../../protocol/protocol.ts'
import { decodeBody, encodeBody } from './body.ts'
import { busV1Capabilities } from './capabilities.ts'

/** What to speak with a server that does not know `bus.v1`. */
export interface BusV1Options {
  /** `false`: nothing, connecting fails. @default plainJson() */
  readonly fallback?: Protocol | false
}

/**
 * `bus.v1`: publishes are confirmed and resent over broken links, subscriptions go on where they stopped, and what was
 * lost is told as a `gap`. With another server the transport speaks the fallback, and its `capabilities` say so.
 *
 * @throws `ConfigError` for a bad option.
 */
export function busV1(options: BusV1Options = {}): Protocol {
  checkOptions<BusV1Options>('', options, { fallback: falseOr(withMethods('encode', 'decode')) })
  const { fallback = plainJson() } = options
  return Object.freeze({
    name: SUBPROTOCOL,
    subprotocols: Object.freeze([SUBPROTOCOL]),
    capabilities: busV1Capabilities,
    session: SUBPROTOCOL,
    ...(fallback === false ? {} : { fallback }),
    encode: (event: Event): Frame => `pub - ${event.type} ${event.id} ${encodeBody(event)}`,
    decode: (frame: Frame, receiver: ProtocolReceiver): void => {
      const ignore = (): void => {}
      const event = (offset: number, type: string, id: string, body: string): void =>
        receiver.event(decodeBody(type, id, body), offset)
      const others = { welcome: ignore, ok: ignore, no: ignore, subok: ignore, subno: ignore }
      const hub = { ...others, gap: ignore, mark: ignore, bye: ignore, event }
      new HubMessageReader(hub).read(Buffer.from(String(frame)))
    },
  } satisfies Protocol)
}
