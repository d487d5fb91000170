/** The fan-out: gives frames of the plain wire to all peers, in order, and lets others have their turn in between. */
import { Fifo } from './bus-v1/fifo.ts'

/** Peers that are served before others get to read again. */
const PEERS_AT_ONCE = 512

/** What a peer takes. */
export interface Receiver {
  send(data: Buffer, isBinary: boolean): void
}

interface Round<P> {
  readonly data: Buffer
  readonly isBinary: boolean
  readonly from: P | undefined
  /** Those who have not had it; who leaves meanwhile is none of them. */
  readonly rest: Iterator<P>
}

/**
 * Bounded by those who send: each is told to wait as long as a frame of it is not with everybody. For those of nobody the hub
 * looks at {@link FanOut.unowned}.
 */
export class FanOut<P extends Receiver> {
  readonly #peers: ReadonlyMap<P, unknown>
  readonly #onDone: (from: P | undefined) => void
  readonly #rounds = new Fifo<Round<P>>()
  #unowned = 0

  /** @param onDone - a frame for which somebody was told to wait is with everybody */
  constructor(peers: ReadonlyMap<P, unknown>, onDone: (from: P | undefined) => void) {
    this.#peers = peers
    this.#onDone = onDone
  }

  /** Whether every frame is with everybody. */
  get isIdle(): boolean {
    return this.#rounds.size === 0
  }

  /** Frames of nobody that are not with everybody. */
  get unowned(): number {
    return this.#unowned
  }

  /** Gives a frame to everybody but `from`. @returns `false`: not all have it yet, and `from` had better wait */
  give(data: Buffer, isBinary: boolean, from: P | undefined): boolean {
    if (this.isIdle && this.#peers.size <= PEERS_AT_ONCE) {
      for (const peer of this.#peers.keys()) if (peer !== from) peer.send(data, isBinary)
      return true
    }
    const isFirst = this.isIdle
    if (from === undefined) this.#unowned++
    this.#rounds.push({ data, isBinary, from, rest: this.#peers.keys() })
    if (isFirst) setImmediate(this.#serve)
    return false
  }

  /** Gives everything to everybody now. */
  flush(): void {
    for (let round = this.#rounds.peek(); round !== undefined; round = this.#rounds.peek()) {
      this.#go(round, Infinity)
    }
  }

  readonly #serve = (): void => {
    const round = this.#rounds.peek()
    if (round === undefined) return
    this.#go(round, PEERS_AT_ONCE)
    if (!this.isIdle) setImmediate(this.#serve)
  }

  #go({ data, isBinary, from, rest }: Round<P>, count: number): void {
    for (let served = 0; served < count; served++) {
      const { value: peer, done } = rest.next()
      if (done === true) {
        this.#rounds.shift()
        if (from === undefined) this.#unowned--
        this.#onDone(from)
        return
      }
      if (peer !== from) peer.send(data, isBinary)
    }
  }
}
