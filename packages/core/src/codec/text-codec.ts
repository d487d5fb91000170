/** The text codec: the payload is a string, and the frame is that string. */

import { describeValue } from '../config/redact.ts'
import { DecodeError, SerializationError } from '../contract/errors.ts'
import { createEvent, type Event } from '../contract/event.ts'
import type { Codec } from './codec.ts'
import { decodeUtf8, isWellFormed, encodeUtf8 } from './utf8.ts'
import { check } from '../config/checks.ts'
import { checkOptions, type Shape } from '../config/options.ts'
import { isType } from '../contract/type.ts'

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

/** The options of the codecs that carry nothing but the payload. */
export interface FrameCodecOptions {
  /** The type of every received event: such a frame does not say its own. @default 'message' */
  readonly type?: string
}

const SHAPE: Shape<FrameCodecOptions> = Object.freeze({
  type: check.where('to be an event type', isType),
})

/** @throws `ConfigError` naming the option */
function resolveFrameCodecOptions(options: FrameCodecOptions = {}): Required<FrameCodecOptions> {
  checkOptions('', options, SHAPE)
  const { type = 'message' } = options
  return Object.freeze({ type })
}
