/** The body of an event line: payload and metadata as JSON. */
import {
  DecodeError,
  SerializationError,
  jsonCodec,
  type Event,
  type EventMetadata,
} from '@bus/core'
import { isParsedWithinDepth, isWithinDepth } from '@bus/core/kit'
import { MAX_BODY_DEPTH } from './limits.ts'
import { asRecord } from './fields.ts'

/** The body of the event. @throws `SerializationError` */
export function encodeBody({ type, payload, metadata }: Event): string {
  const body = { payload, metadata }
  let text: string
  try {
    // One pass over plain data; anything odd goes through the careful codec first, which knows what to say of it.
    if (!isPlain(payload) || !Number.isFinite(metadata.timestamp)) {
      jsonCodec().encode({ id: 'check', type, payload, metadata })
    }
    text = JSON.stringify(body)
  } catch (cause) {
    if (cause instanceof SerializationError) throw cause
    throw failure(type, cause instanceof Error ? cause.message : 'something was thrown', cause)
  }
  if (isWithinDepth(text, MAX_BODY_DEPTH, body)) return text
  throw failure(type, `it is nested more than ${MAX_BODY_DEPTH} deep`)
}

function failure(type: string, reason: string, cause?: unknown): SerializationError {
  const message = `The event \`${type}\` cannot be written as JSON: ${reason}`
  return new SerializationError(message, { cause, outcome: 'not-sent' })
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
  const { payload, metadata } = parse(body)
  if (payload === undefined || !isMetadata(metadata)) {
    throw new DecodeError(
      'Expected the body of an event to hold `payload` and `metadata` with a `timestamp`',
    )
  }
  Object.freeze(metadata)
  return Object.freeze({ id, type, payload, metadata })
}

function parse(body: string): { readonly payload?: unknown; readonly metadata?: unknown } {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch (cause) {
    const message = `The body of an event of ${body.length} characters is not JSON`
    throw new DecodeError(message, { cause })
  }
  if (isParsedWithinDepth(value, MAX_BODY_DEPTH)) return asRecord(value) ?? {}
  throw new DecodeError(`The body of an event is nested more than ${MAX_BODY_DEPTH} deep`)
}

function isMetadata(value: unknown): value is EventMetadata {
  return typeof asRecord(value)?.['timestamp'] === 'number'
}
