/** Sessions: what the hub knows of each client, whether or not it is connected. */

import type { RefusalCode, Window } from '../../../protocol/bus-v1/limits.ts'
import type { PatternSets } from '../log/pattern-set.ts'
import type { Principal } from '../admission/authenticator.ts'
import { PublisherSession } from './publisher-session.ts'
import { SubscriberSession } from './subscriber-session.ts'
import type { Hello } from '../../../protocol/bus-v1/hello.ts'

/** The connection of a session. */
export interface SessionConnection {
  readonly address: string | undefined
  /** There is something to send. */
  wake(): void
  /** A number was refused, and every one before it is answered. */
  refused(n: number, code: RefusalCode): void
  /** A last line, then the close. */
  goAway(text: string, code: number, reason: string): void
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
  link: SessionConnection | undefined
  /** What the client called the link that it came with last; 0 if it does not count. */
  newestLink = 0
  /** When it got its connection. */
  connectedAt = 0
  /** Since when there is no connection. */
  goneAt = 0
  hasEnded = false
  readonly #window: Window
  /** Its state as a publisher, once it is one: most sessions only subscribe. Begun by {@link publisher} only. */
  published: PublisherSession | undefined

  constructor(sid: string, principal: Principal, sets: PatternSets, window: Window) {
    this.sid = sid
    this.principalId = principal.id
    this.#window = window
    this.subscriber = new SubscriberSession(sets, window)
  }

  /** Its state as a publisher, begun now if there was none. */
  get publisher(): PublisherSession {
    return (this.published ??= new PublisherSession(this.#window))
  }
}

export interface SessionsOptions {
  /** Milliseconds that a session lives without a connection. */
  readonly ttlMs: number
  /** Sessions at most. */
  readonly capacity: number
  readonly window: Window
  readonly sets: PatternSets
  /** Makes a name that cannot be guessed. */
  readonly newId: () => string
}

/** Bounded: the session that is gone for longest makes room for a new one. */
export class Sessions {
  readonly #options: SessionsOptions
  readonly #bySid = new Map<string, Session>()
  /** Those without a connection, the longest gone first. */
  readonly #gone = new Set<Session>()

  constructor(options: SessionsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#bySid.size
  }

  /** Those without a connection. */
  get gone(): number {
    return this.#gone.size
  }

  [Symbol.iterator](): Iterator<Session> {
    return this.#bySid.values()
  }

  /** The session of that name, if it is this principal's and not over. */
  find(sid: string | undefined, principal: Principal, now: number): Session | undefined {
    const session = sid === undefined ? undefined : this.#bySid.get(sid)
    if (session === undefined || session.principalId !== principal.id) return undefined
    if (!this.#isOver(session, now)) return session
    this.#end(session)
    return undefined
  }

  /** Whether a `hello` was long under way: its client has given that link up, and made another since. */
  isOutdated({ sid, link = Infinity }: Hello, principal: Principal, now: number): boolean {
    const session = this.find(sid, principal, now)
    return session !== undefined && link <= session.newestLink
  }

  /** A new session; `undefined` when there are as many connected ones as may be. */
  create(principal: Principal): Session | undefined {
    const { capacity, newId, sets, window } = this.#options
    if (this.#bySid.size >= capacity) {
      const [longest] = this.#gone
      if (longest === undefined) return undefined
      this.#end(longest)
    }
    const session = new Session(newId(), principal, sets, window)
    this.#bySid.set(session.sid, session)
    return session
  }

  /** Takes the session from the connection that it has, which is closed. */
  fence(session: Session): void {
    const { link } = session
    if (link === undefined) return
    session.link = undefined
    session.published?.unlink()
    session.subscriber.unlink()
    link.replaced()
  }

  /** Gives the session a connection. It has none. */
  attach(session: Session, link: SessionConnection, now: number): void {
    session.link = link
    session.connectedAt = now
    this.#gone.delete(session)
  }

  /**
   * The connection is gone. One that was replaced takes nothing with it.
   *
   * @param isForGood - its client closed it: no subscription is kept for a return
   */
  detach(session: Session, link: SessionConnection, now: number, isForGood: boolean): void {
    if (session.link !== link) return
    session.link = undefined
    session.published?.unlink()
    if (isForGood) session.subscriber.removeAll()
    session.subscriber.unlink()
    if (session.hasEnded) return
    // Nothing of it could be resumed.
    const hasReceived = (session.published?.received ?? 0) > 0
    if (!hasReceived && session.subscriber.subscriptions === 0) {
      this.#end(session)
      return
    }
    session.goneAt = now
    this.#gone.add(session)
  }

  /** Forgets those that are gone for too long. @returns how many */
  sweep(now: number): number {
    let count = 0
    for (const session of this.#gone) {
      if (!this.#isOver(session, now)) break
      this.#end(session)
      count++
    }
    return count
  }

  /** Ends every session of a principal, connected or not. @returns how many */
  revoke(principalId: string, code: number, reason: string): number {
    const theirs = [...this.#bySid.values()].filter((s) => s.principalId === principalId)
    for (const session of theirs) {
      this.#end(session)
      session.link?.ended(code, reason)
    }
    return theirs.length
  }

  #isOver(session: Session, now: number): boolean {
    return session.link === undefined && now - session.goneAt >= this.#options.ttlMs
  }

  #end(session: Session): void {
    session.hasEnded = true
    session.subscriber.end()
    this.#bySid.delete(session.sid)
    this.#gone.delete(session)
  }
}
