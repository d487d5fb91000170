/** The bytes codec: the payload is a `Uint8Array`, and the frame is those bytes. */
import { describeValue } from '../config/redact.ts'
import { SerializationError } from '../contract/errors.ts'
import { createEvent, type Event } from '../contract/event.ts'
import type { Codec } from './codec.ts'
import { resolveFrameCodecOptions, type FrameCodecOptions } from './frame-codec-options.ts'
import { encodeUtf8 } from './utf8.ts'

/**
 * Bytes as they are. Type, id and metadata of an event do not travel: a received event has the type of the options, a
 * fresh id and the time of its arrival. A text frame is read as its UTF-8.
 *
 * Both ways the bytes are copied: a later change of the payload is not sent, and a received payload does not keep
 * the buffer alive from which it was cut.
 *
 * @throws `ConfigError` naming the option
 */
export function bytesCodec(options: FrameCodecOptions = {}): Codec {
  const { type } = resolveFrameCodecOptions(options)
  return Object.freeze({
    name: 'bytes',
    contentType: 'application/octet-stream',
    frame: 'binary' as const,
    encode: ({ payload }: Event): Uint8Array => {
      if (payload instanceof Uint8Array) return new Uint8Array(payload)
      const got = describeValue(payload)
      throw new SerializationError(`Expected \`payload\` to be a Uint8Array, got ${got}`, {
        outcome: 'not-sent',
      })
    },
    decode: (frame: string | Uint8Array): Event =>
      createEvent(type, typeof frame === 'string' ? encodeUtf8(frame) : new Uint8Array(frame)),
  })
}
