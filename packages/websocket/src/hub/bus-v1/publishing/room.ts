/** Room in the log: what may leave it, and who is in the way. */
import type { EventLog } from '../log/log.ts'
import type { Session } from '../sessions/session.ts'

export interface RoomOptions {
  readonly log: EventLog
  readonly sessions: Iterable<Session>
  /** Milliseconds that a session may be in the way without any progress. */
  readonly holdMs: number
  /** A session was in the way for too long. */
  readonly onGivenUp: (session: Session) => void
}

/**
 * Nothing leaves the log that a protected session still needs. A session that is in the way and settles nothing for
 * `holdMs` loses its protection, and learns by a gap what it missed.
 */
export class Room {
  readonly #options: RoomOptions
  /** Up to here nobody needs anything, as far as was looked. */
  #free = 0
  readonly #blockers = new Set<Session>()

  constructor(options: RoomOptions) {
    this.#options = options
  }

  /** Makes room for an event of so many bytes. `false`: somebody needs what would have to leave. */
  make(bytes: number, now: number): boolean {
    const { log } = this.#options
    while (log.isFullFor(bytes)) {
      if (!this.#isFree(log.floor, now)) return false
      log.evictOldest()
    }
    return true
  }

  /** Lets go of what is too old and needed by nobody. */
  expire(now: number): void {
    const { log } = this.#options
    while (log.isOldestTooOld(now) && this.#isNeededByNobody(log.floor)) log.evictOldest()
  }

  /** Somebody may need what nobody needed before. */
  needsChanged(): void {
    this.#free = 0
  }

  /** Nobody waits for room any more, so nobody is in the way. */
  settled(): void {
    for (const session of this.#blockers) session.blockingSince = undefined
    this.#blockers.clear()
  }

  #isNeededByNobody(offset: number): boolean {
    if (offset <= this.#free) return true
    this.#free = this.#lowestNeed() - 1
    return offset <= this.#free
  }

  #isFree(offset: number, now: number): boolean {
    if (this.#isNeededByNobody(offset)) return true
    this.#block(offset, now)
    this.#free = this.#lowestNeed() - 1
    return offset <= this.#free
  }

  #lowestNeed(): number {
    const { log, sessions } = this.#options
    let lowest = log.head + 1
    for (const session of sessions) {
      if (session.isProtected) lowest = Math.min(lowest, session.subscriber.needs(log))
    }
    return lowest
  }

  /** Notes who needs the event, and gives up on those that have been in the way for too long. */
  #block(offset: number, now: number): void {
    const { log, sessions, holdMs, onGivenUp } = this.#options
    for (const session of sessions) {
      if (!session.isProtected || session.subscriber.needs(log) > offset) continue
      session.blockingSince ??= now
      this.#blockers.add(session)
      if (now - session.blockingSince < holdMs) continue
      session.isGivenUp = true
      session.blockingSince = undefined
      this.#blockers.delete(session)
      onGivenUp(session)
    }
  }
}
