/** Log retention: nothing leaves the log that a protected subscriber still needs, unless it makes no progress for too long. */

import type { EventLog } from './log.ts'

/** What the retention reads and sets of a subscriber. */
export interface RetainingSubscriber {
  /** The log keeps what it needs. */
  readonly isProtected: boolean
  /** Since when it keeps the log full; `undefined`: it does not. */
  blockingSince: number | undefined
  /** It made no progress for too long. */
  isGivenUp: boolean
  /** The oldest event that it may still need. */
  needs(log: EventLog): number
}

export interface LogRetentionOptions {
  readonly log: EventLog
  readonly sessions: Iterable<{ readonly subscriber: RetainingSubscriber }>
  /** Milliseconds that a subscriber may keep the log full without any progress. */
  readonly holdMs: number
  /** A subscriber kept the log full for too long. */
  onGivenUp(subscriber: RetainingSubscriber): void
}

/**
 * A subscriber that blocks the log and settles nothing for `holdMs` loses its protection: what it missed is reported to it as a
 * gap.
 */
export class LogRetention {
  readonly #options: LogRetentionOptions
  /** No subscriber needs anything up to this offset; more may be free. */
  #freeUpTo = 0
  readonly #blockers = new Set<RetainingSubscriber>()

  constructor(options: LogRetentionOptions) {
    this.#options = options
    options.log.onFull = (now) => this.#evictOldest(now)
  }

  /** Removes events that are too old and that no subscriber needs. */
  expire(now: number): void {
    const { log } = this.#options
    while (log.isOldestTooOld(now) && this.#isUnneeded(log.firstOffset)) log.evictOldest()
  }

  /** Some subscriber may need events behind this offset that none needed before. */
  needs(offset: number): void {
    if (offset < this.#freeUpTo) this.#freeUpTo = offset
  }

  /** No event waits for the log any more, so no subscriber blocks it. */
  unblocked(): void {
    for (const subscriber of this.#blockers) subscriber.blockingSince = undefined
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
    for (const { subscriber } of sessions) {
      if (subscriber.isProtected) lowest = Math.min(lowest, subscriber.needs(log))
    }
    return lowest
  }

  /** Notes which subscribers need the event, and gives up those that have blocked the log for too long. */
  #block(offset: number, now: number): void {
    const { log, sessions, holdMs } = this.#options
    for (const { subscriber } of sessions) {
      if (!subscriber.isProtected || subscriber.needs(log) > offset) continue
      subscriber.blockingSince ??= now
      this.#blockers.add(subscriber)
      if (now - subscriber.blockingSince < holdMs) continue
      subscriber.isGivenUp = true
      subscriber.blockingSince = undefined
      this.#blockers.delete(subscriber)
      this.#options.onGivenUp(subscriber)
    }
  }
}
