/** The fields of a `bus.v1` line: numbers, types, ids, JSON, and the body of an event, each read and checked. */

import {
  DecodeError,
  SerializationError,
  isType,
  jsonCodec,
  type Event,
  type EventMetadata,
} from '@bus/core'
import { isParsedWithinDepth, isWithinDepth } from '@bus/core/kit'
import { MAX_BODY_DEPTH, MAX_JSON_DEPTH } from './limits.ts'

/** Bytes of an event's id, at most. */
const MAX_ID_BYTES = 128
const SPACE = 32
const ZERO = 48

/** Where the field that begins at `from` ends: at the next space before `to`; -1 if there is none. */
export function spaceAfter(bytes: Uint8Array, from: number, to: number): number {
  for (let i = from; i < to; i++) if (bytes[i] === SPACE) return i
  return -1
}

/** Where the id that begins at `from` ends: 1 to 128 printable ASCII characters, then a space; -1 for anything else. */
export function endOfId(bytes: Uint8Array, from: number, to: number): number {
  const last = Math.min(to, from + MAX_ID_BYTES + 1)
  for (let i = from; i < last; i++) {
    const byte = bytes[i] ?? 0
    if (byte === SPACE) return i === from ? -1 : i
    if (byte < 0x21 || byte > 0x7e) return -1
  }
  return -1
}

/** What {@link readNumber} and {@link parseNumber} return for anything that is not a number of the protocol. */
export const NOT_A_NUMBER = -1

/** No safe integer has more digits. */
const MAX_DIGITS = 16

/**
 * The number in the bytes from `from` to before `to`: decimal digits without a sign or a leading zero, at most 2^53 − 1.
 * Anything else is {@link NOT_A_NUMBER}.
 */
export function readNumber(bytes: Uint8Array, from: number, to: number): number {
  const length = to - from
  if (length < 1 || length > MAX_DIGITS) return NOT_A_NUMBER
  if (bytes[from] === ZERO && length > 1) return NOT_A_NUMBER
  let value = 0
  for (let i = from; i < to; i++) {
    const digit = (bytes[i] ?? 0) - ZERO
    if (digit < 0 || digit > 9) return NOT_A_NUMBER
    value = value * 10 + digit
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : NOT_A_NUMBER
}

/** As {@link readNumber}, for a whole text. */
export function parseNumber(text: string): number {
  const { length } = text
  if (length < 1 || length > MAX_DIGITS) return NOT_A_NUMBER
  if (text.charCodeAt(0) === ZERO && length > 1) return NOT_A_NUMBER
  let value = 0
  for (let i = 0; i < length; i++) {
    const digit = text.charCodeAt(i) - ZERO
    if (digit < 0 || digit > 9) return NOT_A_NUMBER
    value = value * 10 + digit
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : NOT_A_NUMBER
}

/** Whether a JSON value is a number of the protocol: a safe integer that is not negative, and not `-0`. */
export function isWireNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0)
}

/** A power of two. Types that share a slot replace each other, so that no client can make the cache grow. */
const SLOTS = 1_024

/** Reads types from bytes, and returns the same string for the same type: the log stays small, and comparisons are cheap. */
export class TypeCache {
  readonly #types: (string | undefined)[] = Array.from({ length: SLOTS })

  /** The type in the bytes from `from` to before `to`; `undefined` if it breaks the grammar. */
  read(bytes: Buffer, from: number, to: number): string | undefined {
    const length = to - from
    let hash = length
    for (let i = from; i < to; i++) hash = (Math.imul(hash, 31) + (bytes[i] ?? 0)) | 0
    const slot = hash & (SLOTS - 1)
    const known = this.#types[slot]
    if (known?.length === length) {
      // Letter by letter: for so few bytes cheaper than a native call.
      let i = 0
      while (i < length && bytes[from + i] === known.charCodeAt(i)) i++
      if (i === length) return known
    }
    const type = bytes.toString('latin1', from, to)
    if (!isType(type)) return undefined
    this.#types[slot] = type
    return type
  }
}

/** A JSON object of which only named members are read; none of it is ever merged into another object. */
export type WireRecord = Readonly<Record<string, unknown>>

/** The JSON object in the text; `undefined` if there is none, or if it is nested too deeply. */
export function parseRecord(text: string): WireRecord | undefined {
  if (!isWithinDepth(text, MAX_JSON_DEPTH)) return undefined
  try {
    return asRecord(JSON.parse(text))
  } catch {
    // The caller names the line; what the other side wrote is never repeated.
    return undefined
  }
}

/** The value as an object with members; `undefined` for arrays, `null` and everything else. */
export function asRecord(value: unknown): WireRecord | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as WireRecord)
    : undefined
}

/** The body of the event: its payload and its metadata as JSON. @throws `SerializationError` */
export function encodeBody({ type, payload, metadata }: Event): string {
  const body = { payload, metadata }
  let text: string
  try {
    // One pass over plain data; anything else goes through the strict codec first, whose errors name what is wrong.
    if (!isPlain(payload) || !Number.isFinite(metadata.timestamp)) {
      jsonCodec().encode({ id: 'check', type, payload, metadata })
    }
    text = JSON.stringify(body)
  } catch (cause) {
    if (cause instanceof SerializationError) throw cause
    throw failure(type, cause instanceof Error ? cause.message : 'a value was thrown', cause)
  }
  if (isWithinDepth(text, MAX_BODY_DEPTH, body)) return text
  throw failure(type, `it is nested more than ${MAX_BODY_DEPTH} deep`)
}

function failure(type: string, reason: string, cause?: unknown): SerializationError {
  const message = `The event \`${type}\` cannot be written as JSON: ${reason}`
  return new SerializationError(message, { cause, outcome: 'not-sent' })
}

/** Values that `JSON.stringify` writes as they are, as far as their outermost level shows. */
function isPlain(payload: unknown): boolean {
  if (typeof payload === 'string' || typeof payload === 'boolean' || payload === null) return true
  if (typeof payload === 'number') return Number.isFinite(payload)
  if (typeof payload !== 'object') return false
  const prototype: unknown = Object.getPrototypeOf(payload)
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null
    ? !('toJSON' in payload)
    : false
}

/** A body as it comes out of `JSON.parse`: whether the members are there is still to be checked. */
interface ParsedBody {
  readonly payload?: unknown
  readonly metadata?: EventMetadata | null
}

/** The event whose line has this type, id and body. @throws `DecodeError` */
export function decodeBody(type: string, id: string, body: string): Event {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch (cause) {
    const message = `The body of an event of ${body.length} characters is not JSON`
    throw new DecodeError(message, { cause })
  }
  if (!isParsedWithinDepth(parsed, MAX_BODY_DEPTH)) {
    throw new DecodeError(`The body of an event is nested more than ${MAX_BODY_DEPTH} deep`)
  }
  // What JSON can hold besides objects has no such members, so it needs no check of its own.
  const { payload, metadata } = (parsed ?? {}) as ParsedBody
  if (payload === undefined || typeof metadata?.timestamp !== 'number') {
    throw new DecodeError(
      'Expected the body of an event to hold `payload` and `metadata` with a `timestamp`',
    )
  }
  Object.freeze(metadata)
  return Object.freeze({ id, type, payload, metadata })
}
