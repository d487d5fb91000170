/** The JSON codec: `{"id","event_type","payload","metadata"}`, one event per frame. */
import { checkOptions, oneOf, type Shape } from '../config/options.ts'
import { DecodeError, SerializationError } from '../contract/errors.ts'
import { isId, type Event } from '../contract/event.ts'
import { isType } from '../contract/type.ts'
import type { Codec } from './codec.ts'
import { expectedWire } from './decode-failure.ts'
import { isWithinDepth } from './json-depth.ts'
import { withLastResult } from './last-result.ts'
import { formatTimestamp, parseTimestamp } from './timestamp.ts'
import { isParsedWithinDepth } from './value-depth.ts'
import { decodeUtf8, encodeUtf8 } from './utf8.ts'
import { fromWireMetadata, toWireMetadata } from './wire-metadata.ts'

/** The deepest nesting of a frame, its envelope included: deep JSON parses, and then kills whoever walks it without a limit. */
const MAX_DEPTH = 64

/** The options of `jsonCodec`. */
export interface JsonCodecOptions {
  /** Which kind of frame carries the JSON: some servers read only binary ones. @default 'text' */
  readonly frame?: 'text' | 'binary'
}

const SHAPE: Shape<JsonCodecOptions> = Object.freeze({ frame: oneOf(['text', 'binary']) })

/**
 * Events as JSON.
 *
 * Writes `{"id","event_type","payload","metadata":{"timestamp","source","correlation_id",…}}`, the timestamp as
 * RFC 3339 text. Reads the same, and also the shape with `id` and `event_type` within the metadata; text or UTF-8;
 * timestamps as text, as milliseconds or missing. Unknown members of the envelope are ignored, unknown attributes of
 * the metadata are kept.
 *
 * @throws `ConfigError` naming the option
 */
export function jsonCodec(options: JsonCodecOptions = {}): Codec {
  checkOptions('', options, SHAPE)
  const { frame = 'text' } = options
  const format = withLastResult(formatTimestamp)
  const parseTime = withLastResult(parseTimestamp)
  return Object.freeze({
    name: 'json',
    contentType: 'application/json',
    frame,
    encode: (event: Event): string | Uint8Array => {
      const text = encode(event, format)
      return frame === 'text' ? text : encodeUtf8(text)
    },
    decode: (data: string | Uint8Array): Event =>
      decode(typeof data === 'string' ? data : decodeUtf8(data), parseTime),
  })
}

function encode(event: Event, format: (ms: number) => string): string {
  const { id, type, payload } = event
  let text: string
  let wire: object
  try {
    const obstacle = obstacleIn(payload)
    if (obstacle !== undefined) throw new TypeError(obstacle)
    const metadata = toWireMetadata(event.metadata, format)
    wire = { id, event_type: type, payload, metadata }
    text = JSON.stringify(wire)
    if (hasToJson(payload) && !Object.hasOwn(JSON.parse(text) as object, 'payload')) {
      throw new TypeError('toJSON of the payload returned nothing')
    }
  } catch (cause) {
    throw failure(type, reasonOf(cause), cause)
  }
  if (isWithinDepth(text, MAX_DEPTH, wire)) return text
  throw failure(type, `it is nested more than ${MAX_DEPTH} deep`)
}

/** What `JSON.stringify` would leave out or turn into something else without a word. */
function obstacleIn(payload: unknown): string | undefined {
  if (typeof payload === 'object') return payload === null ? undefined : obstacleInObject(payload)
  if (typeof payload === 'number' && !Number.isFinite(payload)) return `JSON has no ${payload}`
  const absent =
    typeof payload === 'undefined' || typeof payload === 'function' || typeof payload === 'symbol'
  return absent ? `JSON has no ${typeof payload}` : undefined
}

function obstacleInObject(payload: object): string | undefined {
  if (ArrayBuffer.isView(payload) || payload instanceof ArrayBuffer) return 'JSON has no bytes'
  if (payload instanceof Map || payload instanceof Set) return 'JSON has no Map and no Set'
  return payload instanceof Promise ? 'the payload is a promise' : undefined
}

function hasToJson(payload: unknown): boolean {
  if (typeof payload !== 'object' || payload === null) return false
  return typeof (payload as { toJSON?: unknown }).toJSON === 'function'
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : 'something that is no error was thrown'
}

function failure(type: string, reason: string, cause?: unknown): SerializationError {
  return new SerializationError(`The event \`${type}\` cannot be written as JSON: ${reason}`, {
    cause,
    outcome: 'not-sent',
  })
}

/** The members that are read; nothing of a frame is merged into anything. */
interface WireEvent {
  readonly id?: unknown
  readonly event_type?: unknown
  readonly payload?: unknown
  readonly metadata?: unknown
}

function decode(text: string, parseTime: (text: string) => number | undefined): Event {
  const wire: WireEvent = record('frame', parse(text))
  const attributes = record('metadata', wire.metadata ?? {})
  const inMetadata = wire.id === undefined && wire.event_type === undefined
  const id = inMetadata ? attributes['id'] : wire.id
  const type = inMetadata ? attributes['event_type'] : wire.event_type
  if (!isId(id)) {
    throw expectedWire('id', 'to be 1 to 128 printable ASCII characters without a space', id)
  }
  if (!isType(type)) {
    throw expectedWire('event_type', 'to be tokens of [A-Za-z0-9_-] separated by dots', type)
  }
  const { payload } = wire
  if (payload === undefined) throw expectedWire('payload', 'to be present', payload)
  const metadata = fromWireMetadata(attributes, inMetadata, parseTime)
  return Object.freeze({ id, type, payload, metadata })
}

function parse(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new DecodeError(`The frame of ${text.length} characters is not JSON`, { cause })
  }
  if (isParsedWithinDepth(value, MAX_DEPTH)) return value
  throw new DecodeError(`The frame is nested more than ${MAX_DEPTH} deep`)
}

function record(member: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>
  }
  throw expectedWire(member, 'to be a JSON object', value)
}
