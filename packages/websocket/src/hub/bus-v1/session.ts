/** A session: what the hub knows of one client, whether or not it is connected. */
import type { Window } from '../../protocol/bus-v1/limits.ts'
import type { PatternSets } from './pattern-set.ts'
import type { Principal } from './principal.ts'
import { PublisherSession } from './publisher-session.ts'
import { SubscriberSession } from './subscriber-session.ts'

/** The connection of a session. */
export interface SessionLink {
  /** There is something to send. */
  wake(): void
  /** A newer connection took over. */
  replaced(): void
  /** The session ended while it was connected. */
  ended(code: number, reason: string): void
}

/** A publisher and a subscriber session with one name, bound to one principal. */
export class Session {
  readonly sid: string
  readonly principalId: string
  readonly publisher: PublisherSession
  readonly subscriber: SubscriberSession
  link: SessionLink | undefined
  /** Since when there is no connection. */
  goneAt = 0
  /** Since when the log waits for it without any progress. */
  blockingSince: number | undefined
  /** It held up the publishers for too long: events may leave the log before it has them. */
  isGivenUp = false
  hasEnded = false

  constructor(sid: string, principal: Principal, sets: PatternSets, window: Window) {
    this.sid = sid
    this.principalId = principal.id
    this.publisher = new PublisherSession(window)
    this.subscriber = new SubscriberSession(sets, window)
  }

  /** Whether the log must keep what it has not acknowledged. */
  get isProtected(): boolean {
    return !this.hasEnded && !this.isGivenUp && this.subscriber.isReliable
  }
}
