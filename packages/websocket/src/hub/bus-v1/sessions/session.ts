/** A session: what the hub knows of one client, whether or not it is connected. */
import type { RefusalCode } from '../../../protocol/bus-v1/codes.ts'
import type { Window } from '../../../protocol/bus-v1/limits.ts'
import type { PatternSets } from '../log/pattern-set.ts'
import type { Principal } from '../admission/principal.ts'
import { PublisherSession } from './publisher-session.ts'
import { SubscriberSession } from './subscriber-session.ts'

/** The connection of a session. */
export interface SessionLink {
  /** There is something to send. */
  wake(): void
  /** A number was refused, and every one before it is answered. */
  refused(n: number, code: RefusalCode): void
  /** A last line, then the close. */
  leave(text: string, code: number, reason: string): void
  /** A newer connection took over. */
  replaced(): void
  /** The session ended while it was connected. */
  ended(code: number, reason: string): void
}

/** A publisher and a subscriber session with one name, bound to one principal. */
export class Session {
  readonly sid: string
  readonly principalId: string
  readonly subscriber: SubscriberSession
  link: SessionLink | undefined
  /** What the client called the link that it came with last; 0 if it does not count. */
  newestLink = 0
  /** Since when there is no connection. */
  goneAt = 0
  /** Since when the log waits for it without any progress. */
  blockingSince: number | undefined
  /** It held up the publishers for too long: events may leave the log before it has them. */
  isGivenUp = false
  hasEnded = false
  readonly #window: Window
  #publisher: PublisherSession | undefined

  constructor(sid: string, principal: Principal, sets: PatternSets, window: Window) {
    this.sid = sid
    this.principalId = principal.id
    this.#window = window
    this.subscriber = new SubscriberSession(sets, window)
  }

  /** Its books as a publisher, begun now if there were none. */
  get publisher(): PublisherSession {
    return (this.#publisher ??= new PublisherSession(this.#window))
  }

  /** The same where they were begun: most sessions only subscribe. */
  get published(): PublisherSession | undefined {
    return this.#publisher
  }

  /** Whether the log must keep what it has not acknowledged. */
  get isProtected(): boolean {
    return !this.hasEnded && !this.isGivenUp && this.subscriber.isReliable
  }
}
