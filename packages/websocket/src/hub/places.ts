/** The places: how many connections each address or principal has, so that no single one takes all. */
import type { Duplex } from 'node:stream'

interface Source {
  connections: number
  /** One function for all connections of it: each connection costs no more than a place in its listeners. */
  readonly left: () => void
}

/** Knows an address, or a principal, as long as it has a connection. */
export class Places {
  readonly #max: number
  readonly #sources = new Map<string, Source>()
  #refused = 0

  /** @param max - connections of one */
  constructor(max: number) {
    this.#max = max
  }

  /** Connections that were one too many. */
  get refused(): number {
    return this.#refused
  }

  /** Those that have a connection. */
  get size(): number {
    return this.#sources.size
  }

  /**
   * Counts a connection until its socket closes. `false`: there are as many of it as there may be.
   *
   * @param name - `undefined`: it has none, as a socket within the machine has no address, and is not counted
   * @param isSuccessor - it takes over from another one, which is about to close: there is a place in any case
   */
  enter(tcp: Duplex, name: string | undefined, isSuccessor = false): boolean {
    if (name === undefined || tcp.destroyed) return true
    const source = this.#sources.get(name) ?? this.#begin(name)
    if (source.connections >= this.#max && !isSuccessor) {
      this.#refused++
      return false
    }
    source.connections++
    tcp.on('close', source.left)
    return true
  }

  #begin(name: string): Source {
    const source: Source = {
      connections: 0,
      left: () => {
        source.connections--
        if (source.connections === 0) this.#sources.delete(name)
      },
    }
    this.#sources.set(name, source)
    return source
  }
}
