/** The codec: an event as one frame, and back. */
import type { Event } from '../contract/event.ts'

/** Turns events into frames and frames into events. Stateless. */
export interface Codec {
  readonly name: string
  /** MIME type of the frame. */
  readonly contentType: string
  /** Which kind of WebSocket frame carries it. */
  readonly frame: 'text' | 'binary'
  /** @throws `SerializationError` for a payload that it cannot carry. */
  encode(event: Event): string | Uint8Array
  /** @throws `DecodeError` for a frame that is not an event. Unknown members are ignored. */
  decode(frame: string | Uint8Array): Event
}
