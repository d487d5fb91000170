/** The fields of a line: where they end, in its bytes. */

import { isType } from '@bus/core'
import { isWithinDepth } from '@bus/core/kit'
import { MAX_JSON_DEPTH } from './limits.ts'

/** Bytes of an event's id, at most. */
const MAX_ID_BYTES = 128
const SPACE = 32

/** Where the field that begins at `from` ends: at the next space before `to`; -1 when there is none. */
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

/** The numbers of a line: decimal digits without a sign or a leading zero, at most 2^53 − 1. */

const ZERO = 48

/** What the readers give for text that is not a number. */
export const NOT_A_NUMBER = -1

/** No safe integer has more digits. */
const MAX_DIGITS = 16

/** The number that the bytes from `from` to before `to` are; {@link NOT_A_NUMBER} when they are none. */
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

/** The number that a part of the text is; {@link NOT_A_NUMBER} when it is none. */
export function parseNumber(text: string, from: number, to: number): number {
  const length = to - from
  if (length < 1 || length > MAX_DIGITS) return NOT_A_NUMBER
  if (text.charCodeAt(from) === ZERO && length > 1) return NOT_A_NUMBER
  let value = 0
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - ZERO
    if (!(digit >= 0 && digit <= 9)) return NOT_A_NUMBER
    value = value * 10 + digit
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : NOT_A_NUMBER
}

/** Whether a JSON value is a number of the protocol: a safe integer that is not negative, and not `-0`. */
export function isWireNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0)
}

/** A JSON object of which only named members are read; nothing of it is ever merged into anything. */
export type WireRecord = Readonly<Record<string, unknown>>

/** The object that the text is; `undefined` when it is none, or nested too deeply. */
export function parseRecord(text: string): WireRecord | undefined {
  if (!isWithinDepth(text, MAX_JSON_DEPTH)) return undefined
  try {
    return asRecord(JSON.parse(text))
  } catch {
    // Why a stranger's text is not JSON helps nobody; the caller names the line.
    return undefined
  }
}

/** The value as an object with members; `undefined` for arrays, `null` and everything else. */
export function asRecord(value: unknown): WireRecord | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as WireRecord)
    : undefined
}

/** A power of two. Types that share a place push each other out, so strangers cannot make it grow. */
const PLACES = 1_024

/** One string for each type keeps the log small and comparisons cheap. */
export class TypeCache {
  readonly #types: (string | undefined)[] = Array.from({ length: PLACES })

  /** The type that the bytes from `from` to before `to` are; `undefined` when they break the grammar. */
  read(bytes: Buffer, from: number, to: number): string | undefined {
    let hash = to - from
    for (let i = from; i < to; i++) hash = (Math.imul(hash, 31) + (bytes[i] ?? 0)) | 0
    const place = hash & (PLACES - 1)
    const known = this.#types[place]
    if (known !== undefined && isEqual(bytes, from, to, known)) return known
    const type = bytes.toString('latin1', from, to)
    if (!isType(type)) return undefined
    this.#types[place] = type
    return type
  }
}

/** Letter by letter: for so few bytes cheaper than any call. */
function isEqual(bytes: Buffer, from: number, to: number, text: string): boolean {
  if (text.length !== to - from) return false
  for (let i = 0; i < text.length; i++) {
    if (bytes[from + i] !== text.charCodeAt(i)) return false
  }
  return true
}
