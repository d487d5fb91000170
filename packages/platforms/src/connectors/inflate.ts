/** Inflating messages that their sender compressed, within a limit. */
import { promisify } from 'node:util'
import { gunzip, inflate as inflateZlib, inflateRaw, type ZlibOptions } from 'node:zlib'
import { DecodeError } from '@bus/core'

/** How a server compresses its messages: `deflate` with or without the zlib header. */
export type Compression = 'gzip' | 'deflate'

/** The compressions, for the checks of options. */
export const COMPRESSIONS: readonly Compression[] = Object.freeze(['gzip', 'deflate'] as const)

type Inflate = (bytes: Uint8Array, options: ZlibOptions) => Promise<Buffer>

const inflaters: Readonly<Record<'gzip' | 'zlib' | 'raw', Inflate>> = Object.freeze({
  gzip: promisify<Uint8Array, ZlibOptions, Buffer>(gunzip),
  zlib: promisify<Uint8Array, ZlibOptions, Buffer>(inflateZlib),
  raw: promisify<Uint8Array, ZlibOptions, Buffer>(inflateRaw),
})

/**
 * The bytes before they were compressed. No more than `maxBytes` of them are ever made: a few bytes may inflate to
 * gigabytes.
 *
 * @throws `DecodeError` for what is not compressed in this way, is cut short, or inflates to more.
 */
export async function inflate(
  bytes: Uint8Array,
  compression: Compression,
  maxBytes: number,
): Promise<Uint8Array> {
  const wire = compression === 'gzip' ? 'gzip' : hasZlibHeader(bytes) ? 'zlib' : 'raw'
  try {
    return await inflaters[wire](bytes, { maxOutputLength: maxBytes })
  } catch (cause) {
    const isTooLarge = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    const what = `The message of ${bytes.byteLength} bytes`
    const message = isTooLarge
      ? `${what} inflates to more than ${maxBytes} bytes`
      : `${what} is not valid ${compression}`
    throw new DecodeError(message, { cause })
  }
}

/** RFC 1950: the method is deflate, and the two bytes are a multiple of 31. A raw stream does not begin so in practice. */
function hasZlibHeader(bytes: Uint8Array): boolean {
  const [method = 0, flags = 0] = bytes
  return (method & 0x0f) === 8 && method >> 4 <= 7 && (method * 256 + flags) % 31 === 0
}
