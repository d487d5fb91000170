/** The body of an event line: payload and metadata as JSON. */
import {
  DecodeError,
  SerializationError,
  jsonCodec,
  type Event,
  type EventMetadata,
} from '@bus/core'

/** What follows the number in a publish line: type, id and body. */
export function encodeTail({ type, id, payload, metadata }: Event): string {
  return `${type} ${id} ${encodeBody(type, payload, metadata)}`
}

function encodeBody(type: string, payload: unknown, metadata: EventMetadata): string {
  try {
    // One pass over plain data; anything odd goes through the careful codec, which knows what to say of it.
    if (isPlain(payload)) return JSON.stringify({ payload, metadata })
  } catch (cause) {
    throw new SerializationError(`The event \`${type}\` cannot be written as JSON`, {
      cause,
      outcome: 'not-sent',
    })
  }
  jsonCodec().encode({ id: 'check', type, payload, metadata })
  return JSON.stringify({ payload, metadata })
}

/** Values that `JSON.stringify` writes as they are, as far as their outside shows. */
function isPlain(payload: unknown): boolean {
  if (typeof payload === 'string' || typeof payload === 'boolean' || payload === null) return true
  if (typeof payload === 'number') return Number.isFinite(payload)
  if (typeof payload !== 'object') return false
  const prototype: unknown = Object.getPrototypeOf(payload)
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null
    ? !('toJSON' in payload)
    : false
}

/** The event of a line. @throws `DecodeError` */
export function decodeBody(type: string, id: string, body: string): Event {
  let wire: { readonly payload?: unknown; readonly metadata?: unknown }
  try {
    wire = JSON.parse(body) as typeof wire
  } catch (cause) {
    throw new DecodeError(`The body of an event of ${body.length} characters is not JSON`, {
      cause,
    })
  }
  const { payload, metadata } = wire
  if (payload === undefined || typeof metadata !== 'object' || metadata === null) {
    throw new DecodeError('Expected the body of an event to hold `payload` and `metadata`')
  }
  Object.freeze(metadata)
  return Object.freeze({ id, type, payload, metadata: metadata as EventMetadata })
}

/** The event whose tail this is. */
export function decodeTail(tail: string): Event {
  const first = tail.indexOf(' ')
  const second = tail.indexOf(' ', first + 1)
  return decodeBody(tail.slice(0, first), tail.slice(first + 1, second), tail.slice(second + 1))
}
