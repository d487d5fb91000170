/** The plain wire: one frame is one event, and the server sends every event to every client. */
import { jsonCodec, type Codec } from '@bus/core'
import { check, checkOptions, type Shape } from '@bus/core/kit'
import { definePlainProtocol } from './plain-session.ts'
import type { PlainProtocol } from './protocol.ts'

/** The options of `plainJson`. */
export interface PlainProtocolOptions {
  /** Turns events into frames. @default jsonCodec() */
  readonly codec?: Codec | undefined
  /** Subprotocols to offer in the handshake. @default none */
  readonly subprotocols?: readonly string[] | undefined
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
export function plainJson(options: PlainProtocolOptions = {}): PlainProtocol {
  checkOptions('', options, SHAPE)
  const codec = options.codec ?? jsonCodec()
  return Object.freeze(
    definePlainProtocol({
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
      encode: (event) => codec.encode(event),
      decode: (frame, receiver) => receiver.event(codec.decode(frame), 0),
    }),
  )
}
