/** The text codec: the payload is a string, and the frame is that string. */
import { describeValue } from '../config/redact.ts'
import { DecodeError, SerializationError } from '../contract/errors.ts'
import { createEvent, type Event } from '../contract/event.ts'
import type { Codec } from './codec.ts'
import { resolveFrameCodecOptions, type FrameCodecOptions } from './frame-codec-options.ts'
import { decodeUtf8, isWellFormed } from './utf8.ts'

/**
 * Text as it is. Type, id and metadata of an event do not travel: a received event has the type of the options, a
 * fresh id and the time of its arrival.
 *
 * @throws `ConfigError` naming the option
 */
export function textCodec(options: FrameCodecOptions = {}): Codec {
  const { type } = resolveFrameCodecOptions(options)
  return Object.freeze({
    name: 'text',
    contentType: 'text/plain; charset=utf-8',
    frame: 'text' as const,
    encode: ({ payload }: Event): string => {
      if (typeof payload === 'string' && isWellFormed(payload)) return payload
      const got = typeof payload === 'string' ? 'one with a lone surrogate' : describeValue(payload)
      throw new SerializationError(`Expected \`payload\` to be a string of Unicode, got ${got}`, {
        outcome: 'not-sent',
      })
    },
    decode: (frame: string | Uint8Array): Event => {
      const text = typeof frame === 'string' ? frame : decodeUtf8(frame)
      if (isWellFormed(text)) return createEvent(type, text)
      throw new DecodeError('The frame has a lone surrogate')
    },
  })
}
