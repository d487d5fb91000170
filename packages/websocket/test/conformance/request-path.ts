/** Finds the path that the first bytes of an HTTP connection ask for. */

/** One for each connection. */
export class RequestPath {
  #text = ''
  #path: string | undefined

  /** The path as soon as the request line is there, and once only. */
  push(bytes: Buffer): string | undefined {
    if (this.#path !== undefined) return undefined
    this.#text += bytes.toString('latin1')
    if (!this.#text.includes('\r\n')) return undefined
    this.#path = /^GET (\S+) HTTP/.exec(this.#text)?.[1] ?? ''
    this.#text = ''
    return this.#path
  }
}
