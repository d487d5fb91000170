/** The plain wire: one frame is one event, and the server sends every event to everybody. */
import { jsonCodec, type Codec, type Event } from '@bus/core'
import { check, checkOptions, type Shape } from '@bus/core/kit'
import type { Frame, Protocol, ProtocolReceiver } from './protocol.ts'

/** The options of `plainJson`. */
export interface PlainProtocolOptions {
  /** Turns events into frames. @default jsonCodec() */
  readonly codec?: Codec
  /** Subprotocols to offer in the handshake. @default none */
  readonly subprotocols?: readonly string[]
}

const SHAPE: Shape<PlainProtocolOptions> = Object.freeze({
  codec: check.withMethods('encode', 'decode'),
  subprotocols: check.arrayOf(check.string({ nonEmpty: true })),
})

/**
 * The protocol of any server that relays one JSON event a frame: no acknowledgement, no server-side subscription,
 * at most once. With another codec it speaks plain text or bytes.
 *
 * @throws `ConfigError` naming the option
 */
export function plainJson(options: PlainProtocolOptions = {}): Protocol {
  checkOptions('', options, SHAPE)
  const codec = options.codec ?? jsonCodec()
  return Object.freeze({
    name: codec.name === 'json' ? 'plain-json' : `plain-${codec.name}`,
    subprotocols: Object.freeze([...(options.subprotocols ?? [])]),
    capabilities: Object.freeze({
      delivery: 'at-most-once',
      ordering: 'per-publisher',
      wildcards: true,
      publishConfirm: false,
      resume: false,
      gaps: false,
      dedupe: false,
      echo: false,
      binary: codec.name === 'bytes',
    }),
    encode: (event: Event): Frame => codec.encode(event),
    decode: (frame: Frame, receiver: ProtocolReceiver): void => {
      receiver.event(codec.decode(frame), 0)
    },
  } satisfies Protocol)
}
