/** The types that were seen lately: bytes become the same string again, checked once. */
import { isType } from '@bus/core'

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
