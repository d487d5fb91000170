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
