/** An authenticated connection: one connected client with its session, its permissions, and the lines that it is still to be sent. */

import type { Duplex } from 'node:stream'
import type { Clock } from '@bus/core'
import type { TokenBalance } from '@bus/core/kit'
import {
  wireDefaults,
  type LineFault,
  type RefusalCode,
  type SubscriptionRefusal,
} from '../../../protocol/bus-v1/limits.ts'
import type { WireSubscription } from '../../../protocol/bus-v1/hello.ts'
import {
  noLine,
  okLine,
  subnoLine,
  subokLine,
  type PublishLine,
} from '../../../protocol/bus-v1/lines.ts'
import type { Counters } from '../stats.ts'
import { inMessages } from './greeting.ts'
import type { EventLog } from '../log/log.ts'
import type { Permission } from '../admission/authenticator.ts'
import type { Publishing, PublishingConnection } from '../publishing/publishing.ts'
import { newBalance } from '../../metering.ts'
import type { Session, SessionConnection } from '../sessions/session.ts'
import type { SubscriberSession } from '../sessions/subscriber-session.ts'
import type { MessageOutlet } from '../sessions/subscriber-session.ts'
import type { Flushable, FlushScheduler } from '../flush-scheduler.ts'

/** Half of what a hub promises, because the connections are looked at from time to time only. */
const REASSURE_MS = wireDefaults.okMs / 2

/** The connection below. */
export interface MessageSink extends MessageOutlet {
  readonly address: string | undefined
  /** It is closing. */
  readonly isOver: boolean
  /** Corked while it is flushed, so that everything leaves in one write. */
  readonly tcp: Pick<Duplex, 'cork' | 'uncork'>
  close(code: number, reason: string): void
}

/** What an authenticated connection needs of its hub. */
export interface AuthenticatedConnectionHost {
  readonly log: EventLog
  readonly publishing: Publishing
  readonly flush: Pick<FlushScheduler, 'mark' | 'progress'>
  readonly counters: Counters
  /** Events of one connection. */
  readonly publishPerSecond: number
  readonly clock: Pick<Clock, 'now'>
  /** Adds a subscription. @returns the offset behind which it begins, or why there is none */
  subscribe(
    connection: AuthenticatedConnection,
    sub: WireSubscription,
  ): number | SubscriptionRefusal
  unsubscribe(connection: AuthenticatedConnection, id: number): void
  /** The log must keep events for a session again. */
  restored(subscriber: SubscriberSession): void
}

/** Made with each `welcome`. */
export class AuthenticatedConnection implements PublishingConnection, SessionConnection, Flushable {
  readonly session: Session
  permission: Permission
  /** `undefined` without a limit. Made with the first event, as full as it would be by then. */
  rate: TokenBalance | undefined
  /** When its credentials end, by the hub's clock. */
  expiresAt: number
  readonly #connection: MessageSink
  readonly #host: AuthenticatedConnectionHost
  /** Lines for the next flush. */
  #lines = ''
  #okSent: number
  /** When it was sent `ok` last. */
  #okAt: number
  #mustRepeat = false
  /** The last numbers were only refused, so `ok` would not say more than `no` did, and waits for the next one. */
  #owesOk = false
  #wantsMark = false

  constructor(
    connection: MessageSink,
    session: Session,
    rights: { readonly permission: Permission; readonly expiresAt: number },
    host: AuthenticatedConnectionHost,
  ) {
    this.#connection = connection
    this.session = session
    this.permission = rights.permission
    this.expiresAt = rights.expiresAt
    this.#host = host
    this.#okSent = session.published?.confirmed ?? 0
    this.#okAt = host.clock.now()
  }

  get address(): string | undefined {
    return this.#connection.address
  }

  publish(bytes: Buffer, from: number, to: number, line: PublishLine, resent: boolean): void {
    const { publishing, publishPerSecond, clock } = this.#host
    const now = clock.now()
    if (publishPerSecond !== Infinity) this.rate ??= newBalance(publishPerSecond, now)
    const conflict = publishing.publish(this, bytes, from, to, line, resent, now)
    if (conflict !== undefined) this.#conflict(`${resent ? 'rep' : 'pub'} ${conflict}`)
  }

  subscribe(sub: WireSubscription): LineFault | undefined {
    if (this.session.subscriber.has(sub.id)) return 'again'
    const verdict = this.#host.subscribe(this, sub)
    this.#addLine(
      typeof verdict === 'number' ? subokLine(sub.id, verdict) : subnoLine(sub.id, verdict),
    )
    this.#wantsMark = true
    return undefined
  }

  unsubscribe(id: number): void {
    this.#host.unsubscribe(this, id)
  }

  ack(offset: number): void {
    const { subscriber } = this.session
    const result = subscriber.ack(offset)
    if (result === 'ahead') this.#conflict('ack offset')
    if (result === 'ahead' || result === 'old') return
    this.#progressed()
    this.#host.flush.progress()
    if (result === 'freed') this.wake()
  }

  /** Sends what there is with the next flush. */
  wake(): void {
    this.#host.flush.mark(this)
  }

  /** Says again up to where everything is confirmed. */
  again(): void {
    this.#mustRepeat = true
    this.#host.flush.mark(this)
  }

  /** Sends `ok` to a client that waits for a confirmation and has had none for a while: it must not take the hub for dead. */
  reassure(now: number): void {
    const { published } = this.session
    if (published === undefined) return
    if (published.received === published.confirmed && !this.#owesOk) return
    if (now - this.#okAt >= REASSURE_MS) this.again()
  }

  refused(n: number, code: RefusalCode): void {
    this.#addLine(noLine(n, code))
    if (n !== this.#okSent + 1) return
    this.#okSent = n
    this.#owesOk = true
    this.#okAt = this.#host.clock.now()
  }

  /** Sends the subscriber its position, if it does not know it. */
  sendPosition(): void {
    this.#wantsMark = true
    this.wake()
  }

  replaced(): void {
    this.#host.counters.fenced++
    this.#connection.close(4410, 'replaced')
  }

  ended(code: number, reason: string): void {
    this.#connection.close(code, reason)
  }

  /** A last line, at once, then the close. */
  goAway(text: string, code: number, reason: string): void {
    this.#flushLines()
    this.#connection.sendText(text)
    this.#connection.close(code, reason)
  }

  flush(flush: number): void {
    if (this.#connection.isOver) return
    this.#connection.tcp.cork()
    this.#flushLines()
    if (this.session.subscriber.subscriptions > 0) {
      const { log, counters } = this.#host
      const hadGap = this.session.subscriber.pump(
        log,
        this.#connection,
        counters,
        flush,
        this.#wantsMark,
      )
      this.#wantsMark = false
      // It was informed of what it missed; from here on the log keeps events for it again.
      if (hadGap && this.session.subscriber.isGivenUp) this.#progressed()
    }
    this.#connection.tcp.uncork()
  }

  /** Where it was given up, the log keeps events for it again. */
  #progressed(): void {
    const { subscriber } = this.session
    const wasGivenUp = subscriber.isGivenUp
    subscriber.progressed(this.#host.clock.now())
    if (wasGivenUp) this.#host.restored(subscriber)
  }

  #flushLines(): void {
    const confirmed = this.session.published?.confirmed ?? 0
    let lines = this.#lines
    if (confirmed > this.#okSent || this.#mustRepeat) {
      lines += `${lines === '' ? '' : '\n'}${okLine(confirmed)}`
      this.#okSent = Math.max(this.#okSent, confirmed)
      this.#owesOk = false
      this.#okAt = this.#host.clock.now()
    }
    this.#mustRepeat = false
    this.#lines = ''
    if (lines === '') return
    const { maxMessageBytes } = this.session.subscriber
    if (lines.length <= maxMessageBytes) this.#connection.sendText(lines)
    else for (const line of inMessages(lines, maxMessageBytes)) this.#connection.sendText(line)
  }

  #addLine(line: string): void {
    this.#lines += `${this.#lines === '' ? '' : '\n'}${line}`
    this.#host.flush.mark(this)
  }

  #conflict(reason: string): void {
    this.#host.counters.protocolErrors++
    this.#connection.close(4409, reason)
  }
}
