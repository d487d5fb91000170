/** The format guard: whether bytes are what the format of a connector says. */
import { isUtf8 } from 'node:buffer'

/** What the bytes of a connector are. */
export type Format = 'json' | 'text' | 'bytes'

/** The formats, for `supportedFormats`. */
export const FORMATS: readonly Format[] = Object.freeze(['json', 'text', 'bytes'] as const)

/** What was found in the bytes of one message. */
export interface Reading {
  /** The bytes as text; `undefined` where the format does not need it. */
  readonly text: string | undefined
  /** The value that the text is, of format `json`. */
  readonly value: unknown
}

/**
 * Reads bytes as the format says.
 *
 * @throws `SyntaxError` for what the format is not.
 */
export function readAs(format: Format, bytes: Uint8Array): Reading {
  if (format === 'bytes') return { text: undefined, value: undefined }
  if (!isUtf8(bytes)) throw new SyntaxError(`The ${bytes.byteLength} bytes are not valid UTF-8`)
  const text = textOf(bytes)
  return { text, value: format === 'json' ? JSON.parse(text) : undefined }
}

/** Bytes that are UTF-8 as text. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
