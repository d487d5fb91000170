/** UTF-8 that is refused when it is not valid, instead of being repaired. */
import { DecodeError } from '../contract/errors.ts'

/** Decodes UTF-8 strictly and keeps a byte order mark. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new DecodeError(`The frame of ${bytes.byteLength} bytes is not valid UTF-8`, { cause })
  }
}

/** Encodes text as UTF-8. */
export function encodeUtf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Whether the text has no lone surrogate, so that UTF-8 can carry it unchanged. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text)
}
