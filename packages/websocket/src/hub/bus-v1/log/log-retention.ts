/** Log retention: nothing leaves the log that a protected session still needs, unless that session makes no progress for too long. */

import type { EventLog } from './log.ts'

/** What the retention reads and sets of a session. */
export interface RetainingSession {
  /** The log keeps what it needs. */
  readonly isProtected: boolean
  /** Since when it keeps the log full; `undefined`: it does not. */
  blockingSince: number | undefined
  /** It has kept the log full for too long. */
  isGivenUp: boolean
  readonly subscriber: { needs(log: EventLog): number }
}

export interface LogRetentionOptions {
  readonly log: EventLog
  readonly sessions: Iterable<RetainingSession>
  /** Milliseconds that a session may keep the log full without any progress. */
  readonly holdMs: number
  /** A session kept the log full for too long. */
  onGivenUp(session: RetainingSession): void
}

/**
 * A session that blocks the log and settles nothing for `holdMs` loses its protection: what it missed is reported to it as a
 * gap.
 */
export class LogRetention {
  readonly #options: LogRetentionOptions
  /** No session needs anything up to this offset; more may be free. */
  #freeUpTo = 0
  readonly #blockers = new Set<RetainingSession>()

  constructor(options: LogRetentionOptions) {
    this.#options = options
    options.log.onFull = (now) => this.#evictOldest(now)
  }

  /** Removes events that are too old and that no session needs. */
  expire(now: number): void {
    const { log } = this.#options
    while (log.isOldestTooOld(now) && this.#isUnneeded(log.firstOffset)) log.evictOldest()
  }

  /** Sessions or subscriptions changed, so that events may be needed that were not. */
  needsChanged(): void {
    this.#freeUpTo = 0
  }

  /** No event waits for the log any more, so no session blocks it. */
  unblocked(): void {
    for (const session of this.#blockers) session.blockingSince = undefined
    this.#blockers.clear()
  }

  #evictOldest(now: number): boolean {
    const { log } = this.#options
    if (!this.#mayLeave(log.firstOffset, now)) return false
    log.evictOldest()
    return true
  }

  #isUnneeded(offset: number): boolean {
    if (offset <= this.#freeUpTo) return true
    this.#freeUpTo = this.#lowestNeed() - 1
    return offset <= this.#freeUpTo
  }

  #mayLeave(offset: number, now: number): boolean {
    if (this.#isUnneeded(offset)) return true
    this.#block(offset, now)
    this.#freeUpTo = this.#lowestNeed() - 1
    return offset <= this.#freeUpTo
  }

  #lowestNeed(): number {
    const { log, sessions } = this.#options
    let lowest = log.lastOffset + 1
    for (const session of sessions) {
      if (session.isProtected) lowest = Math.min(lowest, session.subscriber.needs(log))
    }
    return lowest
  }

  /** Notes which sessions need the event, and gives up those that have blocked the log for too long. */
  #block(offset: number, now: number): void {
    const { log, sessions, holdMs } = this.#options
    for (const session of sessions) {
      if (!session.isProtected || session.subscriber.needs(log) > offset) continue
      session.blockingSince ??= now
      this.#blockers.add(session)
      if (now - session.blockingSince < holdMs) continue
      session.isGivenUp = true
      session.blockingSince = undefined
      this.#blockers.delete(session)
      this.#options.onGivenUp(session)
    }
  }
}
