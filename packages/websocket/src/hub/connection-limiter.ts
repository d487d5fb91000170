/** The connection limiter: how many connections one address, or one principal, may have at the same time. */

import type { Duplex } from 'node:stream'

interface Source {
  connections: number
  /** One function for all its connections: each costs no more than an entry among the listeners of its socket. */
  readonly closed: () => void
}

/** Remembers a name as long as it has a connection. */
export class ConnectionLimiter {
  readonly #max: number
  readonly #sources = new Map<string, Source>()
  #refused = 0

  /** @param max - connections of one name */
  constructor(max: number) {
    this.#max = max
  }

  /** Connections that were refused. */
  get refused(): number {
    return this.#refused
  }

  /** Names that have a connection. */
  get size(): number {
    return this.#sources.size
  }

  /**
   * Counts a connection until its socket closes. `false`: its name has as many as it may have.
   *
   * @param name - an address or a principal; `undefined`: it has none, as a socket within the machine has no address, and is
   *   not counted
   * @param isSuccessor - it replaces another one, which is about to close, so it is not refused
   */
  reserve(tcp: Duplex, name: string | undefined, isSuccessor = false): boolean {
    if (name === undefined || tcp.destroyed) return true
    const source = this.#sources.get(name) ?? this.#begin(name)
    if (source.connections >= this.#max && !isSuccessor) {
      this.#refused++
      return false
    }
    source.connections++
    tcp.on('close', source.closed)
    return true
  }

  #begin(name: string): Source {
    const source: Source = {
      connections: 0,
      closed: () => {
        source.connections--
        if (source.connections === 0) this.#sources.delete(name)
      },
    }
    this.#sources.set(name, source)
    return source
  }
}
