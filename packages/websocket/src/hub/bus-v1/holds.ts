/** Holds: events that were received and wait for room in the log, without an acknowledgement. */
import type { Held } from './publisher-session.ts'
import type { Session } from './session.ts'

/** Takes one event; `false`: there is no room. */
export type Accept = (session: Session, held: Held) => boolean

/** The sessions with events that wait; each bounds its own. */
export class Holds {
  readonly #waiting = new Set<Session>()
  readonly #accept: Accept

  constructor(accept: Accept) {
    this.#accept = accept
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
    let events = 0
    for (const session of this.#waiting) events += session.publisher.held
    return events
  }

  add(session: Session, held: Held): void {
    session.publisher.hold(held)
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
      if (!this.#accept(session, held)) return false
      session.publisher.unhold()
      // To the end of the line. The loop comes to it again.
      this.#waiting.delete(session)
      if (session.publisher.held > 0) this.#waiting.add(session)
    }
    return true
  }
}
