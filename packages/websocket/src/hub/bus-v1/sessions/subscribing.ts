/** Subscribing: which subscriptions a session may have, and where they begin. */

import type { SubscriptionRefusal } from '../../../protocol/bus-v1/limits.ts'
import type { WireSubscription } from '../../../protocol/bus-v1/hello.ts'
import type { FlushScheduler } from '../flush-scheduler.ts'
import type { EventLog } from '../log/log.ts'
import type { LogRetention } from '../log/log-retention.ts'
import type { PatternSets } from '../log/pattern-set.ts'
import type { Permission } from '../admission/authenticator.ts'
import type { Session } from './session.ts'

/** Wildcards of one token in a pattern: with many of them, matching one type looks at very many branches. */
const MAX_STARS = 4

export interface SubscribingOptions {
  readonly log: EventLog
  /** Subscriptions of one connection, at most. */
  readonly maxPerSession: number
  /** Subscriptions of all sessions at most. */
  readonly maxInAll: number
  /** Counts the subscriptions of all sessions. */
  readonly sets: PatternSets
  readonly retention: LogRetention
  readonly flush: FlushScheduler
}

/** The rules of the hub for subscriptions. */
export class Subscribing {
  readonly #options: SubscribingOptions

  constructor(options: SubscribingOptions) {
    this.#options = options
  }

  /** Why the session cannot have this pattern; `undefined` when it can. */
  judge(
    session: Session,
    permission: Permission,
    pattern: string,
  ): SubscriptionRefusal | undefined {
    const { maxPerSession, maxInAll, sets } = this.#options
    if (session.subscriber.subscriptions >= maxPerSession) return 'limit'
    if (sets.subscriptions >= maxInAll) return 'limit'
    if (pattern.split('.').filter((token) => token === '*').length > MAX_STARS) return 'pattern'
    return permission.maySubscribe(pattern) ? undefined : 'auth'
  }

  /** Adds a subscription. @returns the offset behind which it begins, or why there is none */
  add(
    session: Session,
    permission: Permission,
    sub: WireSubscription,
  ): number | SubscriptionRefusal {
    const refusal = this.judge(session, permission, sub.pattern)
    if (refusal !== undefined) return refusal
    const { subscriber } = session
    const { log, retention, flush } = this.#options
    // It was subscribed to nothing so far, so it gets nothing of the past, unless it asks for that by `from`.
    if (subscriber.subscriptions === 0) {
      subscriber.restart(Math.min(sub.from ?? log.lastOffset, log.lastOffset))
    }
    // What was sent already cannot come before it again: offsets only rise on a link.
    const since = Math.max(
      Math.min(sub.from ?? log.lastOffset, log.lastOffset),
      subscriber.lastSentOffset,
    )
    subscriber.add(sub.id, sub, since)
    retention.needs(since)
    flush.schedule()
    return since
  }

  remove(session: Session, id: number): void {
    if (session.subscriber.remove(id)) this.#options.flush.schedule()
  }
}
