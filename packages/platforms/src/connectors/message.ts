/** The messages of connectors: bytes with the kind of their frame, and the events that carry them. */
import { createEvent, type Codec, type Event } from '@bus/core'

/** The type of the event of a text message. */
export const TEXT = 'message.text'
/** The type of the event of a binary message. */
export const BINARY = 'message.binary'

/** How a message travelled. */
export type MessageKind = 'text' | 'binary'

/** The kind of the message that an event carries. */
export function kindOf(event: Event): MessageKind {
  return event.type === TEXT ? 'text' : 'binary'
}

/** Carries messages as they are: the payload is bytes, or text for a text message that is sent; the type tells the kind. */
export const messageCodec: Codec = Object.freeze({
  name: 'bytes',
  contentType: 'application/octet-stream',
  frame: 'binary' as const,
  encode: ({ payload }: Event): string | Uint8Array => payload as string | Uint8Array,
  decode: (frame: string | Uint8Array): Event =>
    typeof frame === 'string'
      ? createEvent(TEXT, new TextEncoder().encode(frame))
      : // A copy: the frame is cut from a larger buffer, which the payload would keep alive.
        createEvent(BINARY, new Uint8Array(frame)),
})
