/** Holds: events that were received and wait for room in the log, without an acknowledgement. */
import { costOf, type Held, type HeldTotal } from '../sessions/publisher-session.ts'
import type { Session } from '../sessions/session.ts'

/** Takes one event; `false`: there is no room. */
type Accept = (session: Session, held: Held) => boolean

export interface HoldsOptions {
  readonly accept: Accept
  /** Bytes that may wait in all sessions together; what is alone may wait whatever its size. */
  readonly maxBytes: number
  /** Makes the publisher of a session come back later, so that nothing of it waits any more. */
  readonly sendAway: (session: Session) => void
}

/** The sessions with events that wait. Each bounds its own; here they are bounded together. */
export class Holds {
  readonly #options: HoldsOptions
  readonly #waiting = new Set<Session>()
  readonly #total: HeldTotal = { events: 0, bytes: 0 }

  constructor(options: HoldsOptions) {
    this.#options = options
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  /** Sessions that wait. */
  get sessions(): number {
    return this.#waiting.size
  }

  /** Events that wait. */
  get events(): number {
    return this.#total.events
  }

  /** Bytes that they count for. */
  get bytes(): number {
    return this.#total.bytes
  }

  /** Whether it may wait without anybody being sent away. */
  hasRoomFor(held: Held): boolean {
    const { bytes } = this.#total
    return bytes === 0 || bytes + costOf(held) <= this.#options.maxBytes
  }

  /** Keeps it. Where there is too much already, whoever has the most of it is sent away: it may be this session. */
  add(session: Session, held: Held): void {
    while (!this.hasRoomFor(held)) {
      const largest = this.#largest(session, costOf(held))
      this.#waiting.delete(largest)
      this.#options.sendAway(largest)
      if (largest === session) return
    }
    session.publisher.hold(held, this.#total)
    this.#waiting.add(session)
  }

  /** Moves on as far as there is room, one event of each session after the other. @returns whether nothing waits any more */
  drain(): boolean {
    for (const session of this.#waiting) {
      const held = session.publisher.peekHeld()
      if (held === undefined || session.hasEnded) {
        // Its connection broke: what waited went with it.
        this.#waiting.delete(session)
        continue
      }
      if (!this.#options.accept(session, held)) return false
      session.publisher.unhold()
      // To the end of the line. The loop comes to it again.
      this.#waiting.delete(session)
      if (session.publisher.held > 0) this.#waiting.add(session)
    }
    return true
  }

  /** @param more - bytes that come to those of `session` */
  #largest(session: Session, more: number): Session {
    let largest = session
    let cost = session.publisher.heldCost + more
    for (const other of this.#waiting) {
      if (other.publisher.heldCost <= cost) continue
      largest = other
      cost = other.publisher.heldCost
    }
    return largest
  }
}
