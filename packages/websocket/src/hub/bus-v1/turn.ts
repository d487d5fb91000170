/** A turn: what one round of reading the sockets has set in motion is sent at its end, at once. */

/** Peers that are served before others get to read again. */
const PEERS_AT_ONCE = 512

/** Something that is served once in a turn in which it was marked. */
export interface Served {
  serve(turn: number): void
}

export interface TurnOptions<T extends Served> {
  /** Before anybody is served: adds who is to be served before those that were marked. */
  readonly prepare: (first: Set<T>) => void
  /** After everybody was. */
  readonly finish: () => void
}

/**
 * `setImmediate` comes after every socket that had something was read, so that the acknowledgements and events of one
 * round leave in one frame per peer.
 */
export class Turn<T extends Served> {
  readonly #options: TurnOptions<T>
  #marked = new Set<T>()
  #isScheduled = false
  #number = 1

  constructor(options: TurnOptions<T>) {
    this.#options = options
  }

  /** This peer has something to send. */
  mark(peer: T): void {
    this.#marked.add(peer)
    this.schedule()
  }

  /** Somebody may have something to send. */
  schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#begin)
  }

  readonly #begin = (): void => {
    this.#number++
    const peers = new Set<T>()
    this.#options.prepare(peers)
    for (const peer of this.#marked) peers.add(peer)
    this.#marked = new Set()
    this.#serve([...peers], 0)
  }

  #serve(peers: readonly T[], from: number): void {
    const to = Math.min(peers.length, from + PEERS_AT_ONCE)
    for (let i = from; i < to; i++) peers[i]?.serve(this.#number)
    if (to < peers.length) {
      setImmediate(() => this.#serve(peers, to))
      return
    }
    this.#isScheduled = false
    this.#options.finish()
    if (this.#marked.size > 0) this.schedule()
  }
}
