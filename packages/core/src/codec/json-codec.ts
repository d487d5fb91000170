/** The JSON codec: `{"id","event_type","payload","metadata"}`, one event per frame. */

import { check } from '../config/checks.ts'
import { checkOptions, type Shape } from '../config/options.ts'
import { describeValue } from '../config/redact.ts'
import { DecodeError, SerializationError } from '../contract/errors.ts'
import {
  isHostileName,
  isId,
  isTimestamp,
  type Event,
  type EventMetadata,
} from '../contract/event.ts'
import { isType } from '../contract/type.ts'
import type { Codec } from './codec.ts'
import { isWithinDepth, isParsedWithinDepth } from './json-depth.ts'
import { decodeUtf8, encodeUtf8 } from './utf8.ts'

/** The deepest nesting of a frame, its envelope included: deep JSON parses, and then overflows the stack of code that walks it without a limit. */
const MAX_DEPTH = 64

/** The options of `jsonCodec`. */
export interface JsonCodecOptions {
  /** Which kind of frame carries the JSON: some servers read only binary ones. @default 'text' */
  readonly frame?: 'text' | 'binary'
}

const SHAPE: Shape<JsonCodecOptions> = Object.freeze({ frame: check.oneOf(['text', 'binary']) })

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

/** What `JSON.stringify` would leave out or change without an error. */
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
  const wire: WireEvent = record('frame', parseJson(text))
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

function parseJson(text: string): unknown {
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

/** Timestamps on the wire: RFC 3339 text for epoch milliseconds, and back. */

const RFC_3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/** Longer than any sensible fraction of a second needs. */
const MAX_LENGTH = 64
/** Milliseconds since 1970 as RFC 3339 text in UTC. The caller has checked them with `isTimestamp`. */
export function formatTimestamp(ms: number): string {
  return new Date(ms).toISOString()
}

/** RFC 3339 text as milliseconds since 1970; `undefined` for other text and for moments that do not exist. */
export function parseTimestamp(text: string): number | undefined {
  const match = text.length > MAX_LENGTH ? null : RFC_3339.exec(text)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number)
  const fraction = match[7]
  const at = new Date(0)
  // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999.
  at.setUTCFullYear(year ?? NaN, (month ?? NaN) - 1, day)
  if (at.getUTCMonth() !== (month ?? NaN) - 1 || at.getUTCDate() !== day) return undefined
  // 60 is a leap second: the same moment as second 0 of the next minute.
  if (!within(hour, 23) || !within(minute, 59) || !within(second, 60)) return undefined
  at.setUTCHours(hour, minute, second, fraction === undefined ? 0 : milliseconds(fraction))
  const offset = offsetMs(match[8], Number(match[9] ?? 0), Number(match[10] ?? 0))
  if (offset === undefined) return undefined
  const ms = at.getTime() - offset
  return isTimestamp(ms) ? ms : undefined
}

function within(value: number | undefined, max: number): value is number {
  return value !== undefined && value <= max
}

/** Digits after the point, cut to milliseconds: other languages write up to nine. */
function milliseconds(fraction: string): number {
  return Number(fraction.slice(0, 3).padEnd(3, '0'))
}

function offsetMs(sign: string | undefined, hours: number, minutes: number): number | undefined {
  if (hours > 23 || minutes > 59) return undefined
  return (sign === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000
}

/** Metadata as they are written. @throws `TypeError` or `RangeError` for what JSON must not carry. */
function toWireMetadata(metadata: EventMetadata, format: (ms: number) => string): object {
  const { timestamp, correlationId } = metadata
  if (!isTimestamp(timestamp)) {
    throw new RangeError('metadata.timestamp is not a moment of the years 0000 to 9999')
  }
  const wire: Record<string, unknown> = { timestamp: format(timestamp) }
  for (const name of Object.keys(metadata)) {
    if (name === 'timestamp' || name === 'correlationId') continue
    if (isHostileName(name)) throw new TypeError(`metadata must not have an attribute ${name}`)
    wire[name] = metadata[name]
  }
  if (correlationId !== undefined) wire['correlation_id'] = correlationId
  return wire
}

/**
 * Metadata as they were received, frozen. A missing timestamp is now; `null` stands for missing.
 *
 * @param envelope - whether they also hold the event's `id` and `event_type`, which are then left out
 * @param parse - reads RFC 3339
 * @throws `DecodeError` naming the member
 */
function fromWireMetadata(
  wire: Readonly<Record<string, unknown>>,
  envelope: boolean,
  parse: (text: string) => number | undefined,
): EventMetadata {
  const timestamp = readTimestamp(wire['timestamp'], parse)
  const metadata: { timestamp: number } & Record<string, unknown> = { timestamp }
  for (const name of Object.keys(wire)) {
    if (name === 'timestamp' || (envelope && (name === 'id' || name === 'event_type'))) continue
    const value = wire[name]
    if (name === 'source' || name === 'correlation_id' || name === 'correlationId') {
      readText(metadata, name, value)
    } else if (isHostileName(name)) {
      throw expectedWire('metadata', 'to have no member of such a name', name)
    } else metadata[name] = value
  }
  return Object.freeze(metadata)
}

function readTimestamp(value: unknown, parse: (text: string) => number | undefined): number {
  if (value === undefined || value === null) return Date.now()
  if (isTimestamp(value)) return value
  const ms = typeof value === 'string' ? parse(value) : undefined
  if (ms !== undefined) return ms
  throw expectedWire('metadata.timestamp', 'to be RFC 3339 text or milliseconds since 1970', value)
}

function readText(metadata: Record<string, unknown>, name: string, value: unknown): void {
  if (value === null) return
  if (typeof value !== 'string') {
    throw expectedWire(`metadata.${name}`, 'to be a string', value)
  }
  // The name of the wire wins over our own, whichever comes first.
  if (name === 'correlationId') metadata[name] ??= value
  else metadata[name === 'correlation_id' ? 'correlationId' : name] = value
}

/**
 * The function, without computing what it has just computed.
 *
 * For timestamps: events that travel together were mostly made in the same millisecond, and formatting a date costs
 * half as much as writing the whole event.
 */
function withLastResult<A extends string | number, R>(
  compute: (argument: A) => R,
): (argument: A) => R {
  let last: { readonly argument: A; readonly result: R } | undefined
  return (argument) => {
    if (last?.argument !== argument) last = { argument, result: compute(argument) }
    return last.result
  }
}

/** "Expected `event_type` …, got `5` (number)", the value shortened and secrets hidden. */
function expectedWire(member: string, form: string, value: unknown): DecodeError {
  return new DecodeError(`Expected \`${member}\` ${form}, got ${describeValue(value, member)}`)
}
