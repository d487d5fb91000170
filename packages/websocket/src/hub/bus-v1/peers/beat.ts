/** A beat: what a hub keeps of one peer between two pings. */

/** Whom a hub pings. */
export interface Beating {
  ping(payload: string): void
  /** Bytes that were received so far, those of a frame that is not complete included. */
  received(): number
  /** It is gone. */
  lost(): void
}

/** No ping waits for its pong. */
const NONE = -1

/** Numbers and flags only: a hub has one for each connection. */
export class Beat {
  /** Its place in the pulse; `undefined` while it has none. */
  slot: number | undefined
  readonly #peer: Beating
  /** The tick of the ping that waits for its pong. */
  #awaited = NONE
  /** Pings in a row without a pong in time, also when other frames show that the link lives. */
  #missed = 0
  /** Bytes that had been received when the last ping was sent. */
  #received = 0
  /** Some frame came after the last ping, so the other side lives even without the pong. */
  #wasHeard = false
  /** A late timer was excused and nothing was heard since. */
  #isExcused = false

  constructor(peer: Beating) {
    this.#peer = peer
  }

  /** The tick of the last ping, while it has no pong. */
  get waitingSince(): number | undefined {
    return this.#awaited === NONE ? undefined : this.#awaited
  }

  /** Whether any frame came since the last ping, or a part of one: a large one may take longer than any limit. */
  get wasHeard(): boolean {
    return this.#wasHeard || this.#peer.received() > this.#received
  }

  /** Any frame arrived: data, ping or pong. */
  inbound(): void {
    this.#wasHeard = true
    this.#isExcused = false
  }

  /** A pong arrived. It is a frame like any other, and an answer only if its payload is the one that is waited for. */
  pong(payload: string): void {
    this.inbound()
    if (payload !== String(this.#awaited)) return
    this.#awaited = NONE
    this.#missed = 0
  }

  /** Sends a ping. @param tick - now, so that no two pings of a peer have the same payload */
  ping(tick: number): void {
    this.#awaited = tick
    this.#wasHeard = false
    this.#received = this.#peer.received()
    this.#peer.ping(String(tick))
  }

  /** The answer did not come in time. @returns how many times in a row */
  miss(): number {
    this.#missed++
    return this.#missed
  }

  /** Lets a missing answer pass, because our own stall may be to blame. `false`: that was done before. */
  excuse(): boolean {
    if (this.#isExcused) return false
    this.#isExcused = true
    return true
  }

  lose(): void {
    this.#peer.lost()
  }
}
