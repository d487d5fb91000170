/** The addresses: how many connections each one has, so that no single one takes all places. */
import type { Duplex } from 'node:stream'

interface Source {
  connections: number
  /** One function for all connections of the address: each connection costs no more than a place in its listeners. */
  readonly left: () => void
}

/** Knows an address as long as it has a connection. */
export class Addresses {
  readonly #max: number
  readonly #sources = new Map<string, Source>()

  /** @param max - connections of one address */
  constructor(max: number) {
    this.#max = max
  }

  /** Addresses that have a connection. */
  get size(): number {
    return this.#sources.size
  }

  /**
   * Counts a connection until its socket closes. `false`: the address has as many as it may.
   *
   * @param address - `undefined`: the socket has none, as one within the machine, and is not counted
   */
  enter(tcp: Duplex, address: string | undefined): boolean {
    if (address === undefined || tcp.destroyed) return true
    const source = this.#sources.get(address) ?? this.#begin(address)
    if (source.connections >= this.#max) return false
    source.connections++
    tcp.on('close', source.left)
    return true
  }

  #begin(address: string): Source {
    const source: Source = {
      connections: 0,
      left: () => {
        source.connections--
        if (source.connections === 0) this.#sources.delete(address)
      },
    }
    this.#sources.set(address, source)
    return source
  }
}
