/** Confirmations: which events are safe with their subscribers, or with the backend, so that their publishers can be sent `ok`. */

import { PatternIndex } from '@bus/core/kit'
import Denque from 'denque'
import type { Session } from '../sessions/session.ts'

/** Types whose subscribers are remembered. */
const MAX_TYPES = 4_096
/** Subscribers that are remembered, over all types. */
const MAX_REMEMBERED = 262_144

/** An accepted number that waits, in the order of its publisher. */
interface Pending {
  readonly n: number
  readonly offset: number
  /** The offset that the backend must have; 0 where it is not waited for. */
  readonly sharedAt: number
  readonly type: string
  readonly readers: readonly Session[]
}

/** For `confirm: 'subscribers'`, and for a hub with a backend. A publisher has at most its window of numbers that wait. */
export class Confirmations {
  readonly #sessions: Iterable<Session>
  readonly #sharedUpTo: () => number
  readonly #pending = new Map<Session, Denque<Pending>>()
  /** The sessions by their patterns; made anew when it is needed after a change. */
  #index: PatternIndex<Session> | undefined
  readonly #readers = new Map<string, readonly Session[]>()
  #remembered = 0

  /**
   * @param sessions - an event waits for those of them that are subscribed to its type
   * @param sharedUpTo - every event up to this offset is with the backend, as far as it has to be
   */
  constructor(sessions: Iterable<Session>, sharedUpTo: () => number = () => Infinity) {
    this.#sessions = sessions
    this.#sharedUpTo = sharedUpTo
  }

  /** Sessions or subscriptions changed. */
  subscriptionsChanged(): void {
    this.#index = undefined
    this.#forgetReaders()
  }

  /**
   * An event was accepted: it waits for the sessions that are subscribed to its type now.
   *
   * @param isShared - it waits for the backend too
   */
  accepted(session: Session, n: number, offset: number, type: string, isShared: boolean): void {
    const readers = this.#readersOf(type, offset)
    this.#push(session, { n, offset, sharedAt: isShared ? offset : 0, type, readers })
  }

  /** An event was refused: nothing to wait for but those before it. */
  refused(session: Session, n: number): void {
    if (this.#pending.has(session)) {
      this.#push(session, { n, offset: 0, sharedAt: 0, type: '', readers: [] })
    }
    // At once: a welcome may say so before the next flush, and the publisher counts its window from there.
    else session.publisher.confirm(n)
  }

  /** Confirms what can be confirmed. @param onConfirmed - called with each session of which something was confirmed */
  settle(onConfirmed: (session: Session) => void): void {
    const shared = this.#sharedUpTo()
    for (const [session, pending] of this.#pending) {
      let first = pending.peekFront()
      const before = session.publisher.confirmed
      while (first !== undefined && first.sharedAt <= shared && isSettled(first)) {
        session.publisher.confirm(first.n)
        pending.shift()
        first = pending.peekFront()
      }
      if (session.publisher.confirmed > before) onConfirmed(session)
      if (pending.length === 0 || session.hasEnded) this.#pending.delete(session)
    }
  }

  #push(session: Session, item: Pending): void {
    let pending = this.#pending.get(session)
    if (pending === undefined) this.#pending.set(session, (pending = new Denque()))
    pending.push(item)
  }

  #readersOf(type: string, offset: number): readonly Session[] {
    const known = this.#readers.get(type)
    if (known !== undefined) return known
    this.#index ??= indexOf(this.#sessions)
    const subscribed = this.#index.match(type)
    const readers = subscribed.filter((s) => s.isProtected && s.subscriber.matches(type, offset))
    this.#remembered += readers.length
    if (this.#readers.size === MAX_TYPES || this.#remembered > MAX_REMEMBERED) {
      this.#forgetReaders()
      this.#remembered = readers.length
    }
    this.#readers.set(type, readers)
    return readers
  }

  #forgetReaders(): void {
    this.#readers.clear()
    this.#remembered = 0
  }
}

/** So that a type costs those that are subscribed to it, and not all. */
function indexOf(sessions: Iterable<Session>): PatternIndex<Session> {
  const index = new PatternIndex<Session>()
  for (const session of sessions) {
    for (const { pattern } of session.subscriber.list()) index.add(pattern, session)
  }
  return index
}

/** A reader that ended, was given up or is no longer subscribed to the type is not waited for. */
function isSettled({ offset, type, readers }: Pending): boolean {
  return readers.every(
    (reader) =>
      reader.subscriber.acked >= offset ||
      !reader.isProtected ||
      !reader.subscriber.matches(type, offset),
  )
}
