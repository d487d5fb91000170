/** Counts how often a text occurs in a stream of chunks, across their borders too. */

/** A counter for one stream. */
export class MarkCounter {
  readonly #mark: Buffer
  #tail: Buffer
  #count = 0

  constructor(mark: string) {
    this.#mark = Buffer.from(mark)
    this.#tail = Buffer.alloc(0)
  }

  get count(): number {
    return this.#count
  }

  /** Takes a chunk and returns how many marks ended in it. It keeps copies only, never the chunk. */
  take(chunk: Buffer): number {
    const reach = this.#mark.length - 1
    // Anything found here spans the border: neither part is long enough to hold a mark alone.
    const border = Buffer.concat([this.#tail, chunk.subarray(0, reach)])
    const found = this.#occurrences(border) + this.#occurrences(chunk)
    this.#tail =
      chunk.length >= reach
        ? Buffer.from(chunk.subarray(chunk.length - reach))
        : Buffer.from(border.subarray(Math.max(0, border.length - reach)))
    this.#count += found
    return found
  }

  #occurrences(bytes: Buffer): number {
    let found = 0
    let at = bytes.indexOf(this.#mark)
    while (at !== -1) {
      found++
      at = bytes.indexOf(this.#mark, at + this.#mark.length)
    }
    return found
  }
}
