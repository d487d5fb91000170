/** Confirmations: which events are safe with their subscribers, or with the backend, so that their publishers can be sent `ok`. */

import { PatternIndex } from '@bus/core/kit'
import Denque from 'denque'
import type { SubscriptionObserver } from '../log/pattern-set.ts'
import type { Session } from '../sessions/session.ts'
import type { SubscriberSession } from '../sessions/subscriber-session.ts'

/** An accepted number that waits. */
interface Pending {
  readonly n: number
  readonly offset: number
  /** The offset that the backend must have; 0 where it is not waited for. */
  readonly sharedAt: number
  readonly type: string
  readonly subscribers: readonly SubscriberSession[]
  /** How many of the first ones have settled it: each is looked at until it has, and not again. */
  settled: number
}

/** What waits of one publisher. */
interface PendingConfirmations {
  /** In the order of its numbers. */
  readonly queue: Denque<Pending>
  /** Since when the first one is the first; `undefined`: not looked at yet. */
  firstSince: number | undefined
}

export interface ConfirmationsOptions {
  /** Every event up to this offset is with the backend, as far as it has to be. @default there is no backend */
  readonly sharedUpTo?: (() => number) | undefined
  /** Milliseconds that a subscriber may keep publishers waiting without any progress. */
  readonly holdMs: number
  /** A subscriber kept publishers waiting for too long. */
  onGivenUp(subscriber: SubscriberSession): void
}

/**
 * For `confirm: 'subscribers'`, where it observes the subscriptions, and for a hub with a backend. A publisher has at most its
 * window of numbers that wait.
 */
export class Confirmations implements SubscriptionObserver<SubscriberSession> {
  readonly #options: ConfirmationsOptions
  readonly #sharedUpTo: () => number
  readonly #pending = new Map<Session, PendingConfirmations>()
  /** Who is subscribed to what; kept as it changes, because made anew it would cost all subscriptions each time. */
  readonly #subscribers = new PatternIndex<SubscriberSession>()

  constructor(options: ConfirmationsOptions) {
    this.#options = options
    this.#sharedUpTo = options.sharedUpTo ?? (() => Infinity)
  }

  subscribed(subscriber: SubscriberSession, pattern: string): void {
    this.#subscribers.add(pattern, subscriber)
  }

  unsubscribed(subscriber: SubscriberSession, pattern: string): void {
    this.#subscribers.delete(pattern, subscriber)
  }

  /**
   * An event was accepted: it waits for those who are subscribed to its type now.
   *
   * @param isShared - it waits for the backend too
   */
  accepted(session: Session, n: number, offset: number, type: string, isShared: boolean): void {
    const subscribers = this.#subscribers.match(type).filter(({ isProtected }) => isProtected)
    const sharedAt = isShared ? offset : 0
    this.#push(session, { n, offset, sharedAt, type, subscribers, settled: 0 })
  }

  /** An event was refused: nothing to wait for but those before it. */
  refused(session: Session, n: number): void {
    if (this.#pending.has(session)) {
      this.#push(session, { n, offset: 0, sharedAt: 0, type: '', subscribers: [], settled: 0 })
    }
    // At once: a welcome may say so before the next flush, and the publisher counts its window from there.
    else session.publisher.confirm(n)
  }

  /** Confirms what can be confirmed. @param onConfirmed - called with each session of which something was confirmed */
  settle(onConfirmed: (session: Session) => void): void {
    const shared = this.#sharedUpTo()
    for (const [session, pending] of this.#pending) {
      const { queue } = pending
      let first = queue.peekFront()
      const before = session.publisher.confirmed
      while (first !== undefined && first.sharedAt <= shared && isSettled(first)) {
        session.publisher.confirm(first.n)
        queue.shift()
        pending.firstSince = undefined
        first = queue.peekFront()
      }
      if (session.publisher.confirmed > before) onConfirmed(session)
      if (queue.length === 0 || session.hasEnded) this.#pending.delete(session)
    }
  }

  /** Gives up subscribers for which some publisher has waited too long: they made no progress meanwhile. @returns how many */
  giveUpStalled(now: number): number {
    const { holdMs } = this.#options
    let count = 0
    for (const pending of this.#pending.values()) {
      const first = pending.queue.peekFront()
      if (first === undefined) continue
      const since = (pending.firstSince ??= now)
      for (const subscriber of first.subscribers.slice(first.settled)) {
        if (hasSettled(subscriber, first)) continue
        if (now - Math.max(since, subscriber.progressAt) < holdMs) continue
        subscriber.isGivenUp = true
        count++
        this.#options.onGivenUp(subscriber)
      }
    }
    return count
  }

  #push(session: Session, item: Pending): void {
    const pending = this.#pending.get(session)
    if (pending !== undefined) pending.queue.push(item)
    else this.#pending.set(session, { queue: new Denque([item]), firstSince: undefined })
  }
}

function isSettled(pending: Pending): boolean {
  const { subscribers } = pending
  while (pending.settled < subscribers.length) {
    const subscriber = subscribers[pending.settled]
    if (subscriber !== undefined && !hasSettled(subscriber, pending)) return false
    pending.settled++
  }
  return true
}

/** A subscriber that ended, was given up or is no longer subscribed to the type is not waited for. */
function hasSettled(subscriber: SubscriberSession, { offset, type }: Pending): boolean {
  return subscriber.acked >= offset || !subscriber.isProtected || !subscriber.matches(type, offset)
}
