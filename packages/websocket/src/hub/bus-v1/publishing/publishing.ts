/** Publishing: what becomes of a line with an event. */

import type { TokenBalance } from '@bus/core/kit'
import { byeLine } from '../../../protocol/bus-v1/lines.ts'
import type { RefusalCode } from '../../../protocol/bus-v1/limits.ts'
import { UNNUMBERED, type PublishLine } from '../../../protocol/bus-v1/lines.ts'
import {
  costOf,
  type PendingPublish,
  type PendingEvent,
  type PendingRefusal,
  type PendingTotal,
} from '../sessions/publisher-session.ts'
import type { Session } from '../sessions/session.ts'
import { stampSource } from './stamping.ts'
import { TypeCache } from '../../../protocol/bus-v1/fields.ts'
import type { Confirmations } from './confirmations.ts'
import type { Counters } from '../stats.ts'
import type { LogRetention } from '../log/log-retention.ts'
import type { EventLog } from '../log/log.ts'
import type { Permission } from '../admission/authenticator.ts'
import type { Flushable, FlushScheduler } from '../flush-scheduler.ts'

/** What ends the link: a number that leaves a hole, or one that is too far ahead. */
export type PublishConflict = 'hole' | 'window'

/** When a publisher that was sent away may come back, and over how long those that were spread. */
const AWAY_MS = Object.freeze({ retryAfterMs: 1_000, spreadMs: 1_000 })

/** The rules of the hub for what is published. */
export class Publishing {
  readonly #options: PublishingOptions
  /** The events that wait for room. */
  readonly pending: PendingPublishes
  readonly #types = new TypeCache()
  #now = 0
  /** Accepts nothing new. */
  isClosed = false

  constructor(options: PublishingOptions) {
    this.#options = options
    this.pending = new PendingPublishes({
      accept: (session, item) => this.#acceptPending(session, item),
      maxBytes: options.maxPendingBytes,
      sendAway: (session) => this.#sendAway(session),
    })
  }

  /** An event, whose line begins at `from` and ends before `to`. */
  publish(
    publisher: PublishingConnection,
    bytes: Buffer,
    from: number,
    to: number,
    line: PublishLine,
    resent: boolean,
    now: number,
  ): PublishConflict | undefined {
    const { n } = line
    const { session } = publisher
    if (this.isClosed) {
      // It gets no answer, so its publisher sends it again to the hub that comes next.
      if (n === UNNUMBERED) this.#options.counters.shed++
      return undefined
    }
    if (n !== UNNUMBERED) {
      const fault = (session.published ?? session.publisher).receive(n, to - from)
      if (fault === 'again') {
        this.#options.counters.duplicates++
        publisher.again()
        return undefined
      }
      if (fault !== undefined) return fault
    }
    const type = this.#types.read(bytes, line.typeFrom, line.typeTo)
    const refusal = this.#judge(publisher, type, to - from, now)
    if (type === undefined || refusal !== undefined) {
      this.#refuse(publisher, n, refusal ?? 'type')
    } else if (this.#options.isEcho !== undefined && this.#isEcho(bytes, line, to, type)) {
      this.#pass(session, n, undefined)
    } else if (this.#options.isStamped) this.#stamp(publisher, bytes, to, line, type, resent, now)
    else this.#take(publisher, bytes, line.typeFrom, to, n, type, resent, now)
    return undefined
  }

  /** An event that comes without a session. @returns its offset; `undefined` when there is no room for it now */
  append(type: string, line: Buffer, now: number): number | undefined {
    const { log, relay, opensAt, counters, flush } = this.#options
    if (this.isClosed || !this.pending.isEmpty || now < opensAt || relay.isFull) return undefined
    const offset = log.append(false, line, 0, line.length, type, now)
    if (offset === 0) return undefined
    counters.published++
    flush.schedule()
    return offset
  }

  /** An event that is not acknowledged: without room it is dropped, and counted. */
  publishPlain(type: string, line: Buffer, now: number): number | undefined {
    const offset = this.append(type, line, now)
    if (offset === undefined) this.#options.counters.shed++
    return offset
  }

  /** Moves on what waits, as far as there is room. */
  drain(now: number): void {
    const { opensAt, relay } = this.#options
    if (this.pending.isEmpty || now < opensAt || relay.isFull) return
    this.#now = now
    if (this.pending.drain()) this.#options.retention.unblocked()
  }

  #judge(
    publisher: PublishingConnection,
    type: string | undefined,
    bytes: number,
    now: number,
  ): RefusalCode | undefined {
    if (bytes > this.#options.maxEventBytes) return 'size'
    if (type === undefined) return 'type'
    const { permission, rate } = publisher
    if (!permission.mayPublishAll && !permission.mayPublish(type)) return 'auth'
    return rate === undefined || rate.take(now, 1) ? undefined : 'rate'
  }

  #refuse(publisher: PublishingConnection, n: number, code: RefusalCode): void {
    const { session } = publisher
    if (n === UNNUMBERED) {
      this.#options.counters.refused++
      return
    }
    session.publisher.refuse(n, code)
    this.#pass(session, n, code)
  }

  /** A number is answered after those before it: answered earlier, it would leave a hole after a lost link. */
  #pass(session: Session, n: number, code: RefusalCode | undefined): void {
    if (n === UNNUMBERED) return
    if (session.publisher.pending > 0) this.pending.add(session, { n, code })
    else this.#answerRefused(session, { n, code })
  }

  #isEcho(bytes: Buffer, { typeTo, idTo }: PublishLine, to: number, type: string): boolean {
    const { isEcho } = this.#options
    if (isEcho === undefined) return false
    return isEcho(type, bytes.toString('latin1', typeTo + 1, idTo), bytes.subarray(idTo + 1, to))
  }

  /** Accepts the event with the name of its publisher as its source, whatever the event says. */
  #stamp(
    publisher: PublishingConnection,
    bytes: Buffer,
    to: number,
    { n, typeFrom, idTo }: PublishLine,
    type: string,
    resent: boolean,
    now: number,
  ): void {
    const body = stampSource(bytes.toString('utf8', idTo + 1, to), publisher.session.principalId)
    if (body === undefined) {
      this.#refuse(publisher, n, 'poison')
      return
    }
    const stamped = Buffer.from(`${bytes.toString('latin1', typeFrom, idTo)} ${body}`)
    this.#take(publisher, stamped, 0, stamped.length, n, type, resent, now)
  }

  /** @param from - where the type begins */
  #take(
    publisher: PublishingConnection,
    bytes: Buffer,
    from: number,
    to: number,
    n: number,
    type: string,
    resent: boolean,
    now: number,
  ): void {
    const { session } = publisher
    const { log, relay, opensAt, flush } = this.#options
    // What waits goes first. The relay may have filled up with the event before, in the same message.
    const isOpen = this.pending.isEmpty && now >= opensAt && !relay.isFull
    const offset = isOpen ? log.append(resent, bytes, from, to, type, now) : 0
    if (offset > 0) {
      // Either schedules the fan-out.
      if (n === UNNUMBERED) flush.schedule()
      else flush.mark(publisher)
      this.#accepted(session, n, offset, type)
    } else this.#addPending(session, bytes, from, to, n, type, resent)
  }

  #addPending(
    session: Session,
    bytes: Buffer,
    from: number,
    to: number,
    n: number,
    type: string,
    resent: boolean,
  ): void {
    const line = bytes.subarray(from, to)
    const item: PendingEvent = { n, type, verb: resent ? 'rv' : 'ev', line }
    const isShed =
      n === UNNUMBERED &&
      !(session.publisher.canAddPending(line.length) && this.pending.hasRoomFor(item))
    if (isShed) this.#options.counters.shed++
    // A copy: the message that it is part of may be much larger.
    else this.pending.add(session, { ...item, line: Buffer.from(line) })
  }

  #acceptPending(session: Session, item: PendingPublish): boolean {
    const { log, relay, flush } = this.#options
    if (item.line === undefined) this.#answerRefused(session, item)
    else {
      const { n, type, verb, line } = item
      if (relay.isFull) return false
      const offset = log.append(verb === 'rv', line, 0, line.length, type, this.#now)
      if (offset === 0) return false
      flush.schedule()
      this.#accepted(session, n, offset, type)
    }
    session.link?.wake()
    return true
  }

  /** Everything before it was answered. */
  #answerRefused(session: Session, { n, code }: PendingRefusal): void {
    const { confirmations, counters } = this.#options
    session.publisher.accept(n, confirmations === undefined)
    confirmations?.refused(session, n)
    if (code === undefined) session.link?.wake()
    else {
      counters.refused++
      session.link?.refused(n, code)
    }
  }

  /** What waits of it is dropped, and comes again: none of it was answered. */
  #sendAway(session: Session): void {
    const { counters } = this.#options
    counters.sentAway++
    counters.shed += session.publisher.unlink()
    session.link?.goAway(byeLine({ code: 4503, ...AWAY_MS }), 4503, 'held')
  }

  #accepted(session: Session, n: number, offset: number, type: string): void {
    const { confirmations, counters, relay, hasBackend, onPublished } = this.#options
    counters.published++
    const isShared = (hasBackend || relay.hasPlainConnections) && onPublished(offset)
    if (n === UNNUMBERED) return
    const publisher = session.published ?? session.publisher
    publisher.accept(n, confirmations === undefined)
    confirmations?.accepted(session, n, offset, type, isShared)
  }
}

/** A connection that publishes. */
export interface PublishingConnection extends Flushable {
  readonly session: Session
  readonly permission: Permission
  /** `undefined` without a limit. */
  readonly rate: TokenBalance | undefined
  /** A number came again that was accepted before. */
  again(): void
}

export interface PublishingOptions {
  readonly log: EventLog
  readonly retention: LogRetention
  /** `undefined`: what is in the log is confirmed. */
  readonly confirmations: Confirmations | undefined
  readonly counters: Counters
  readonly maxEventBytes: number
  /** Whether the hub writes into each event who published it. */
  readonly isStamped: boolean
  /** Bytes that may wait for room in all sessions together. */
  readonly maxPendingBytes: number
  /** Before this moment nothing is accepted. */
  readonly opensAt: number
  readonly flush: Pick<FlushScheduler, 'mark' | 'schedule'>
  /** Whether every event is shared with other hubs. */
  readonly hasBackend: boolean
  /**
   * An event of a session entered the log. Called only with a backend, or a connection of the relay.
   *
   * @returns whether its publisher waits for the backend
   */
  readonly onPublished: (offset: number) => boolean
  readonly relay: RelayState
  /** Whether an event comes back to this hub; `undefined` where none can. */
  readonly isEcho?: ((type: string, id: string, body: Buffer) => boolean) | undefined
}

/** The state of the plain wire. These are fields, because they are read for each event. */
export interface RelayState {
  /** A reader there is full, so no event is accepted. */
  readonly isFull: boolean
  /** There is a connection that gets the events. */
  readonly hasPlainConnections: boolean
}

/** Accepts one event; `false`: there is no room. */
type Accept = (session: Session, item: PendingPublish) => boolean

export interface PendingPublishesOptions {
  readonly accept: Accept
  /** Bytes that may wait in all sessions together; what is alone may wait whatever its size. */
  readonly maxBytes: number
  /** Makes the publisher of a session come back later, so that none of its events waits any more. */
  readonly sendAway: (session: Session) => void
}

/** The events that wait for room, by session. Each session bounds its own; here they are bounded together. */
export class PendingPublishes {
  /** Whether no session waits. A field: it is read for each event. Set here only. */
  isEmpty = true
  readonly #options: PendingPublishesOptions
  readonly #waiting = new Set<Session>()
  readonly #total: PendingTotal = { events: 0, bytes: 0 }

  constructor(options: PendingPublishesOptions) {
    this.#options = options
  }

  /** Sessions that wait. */
  get sessions(): number {
    return this.#waiting.size
  }

  /** Events that wait. */
  get events(): number {
    return this.#total.events
  }

  /** Bytes that they count for. */
  get bytes(): number {
    return this.#total.bytes
  }

  /** Whether it may wait without a session being sent away. */
  hasRoomFor(item: PendingPublish): boolean {
    const { bytes } = this.#total
    return bytes === 0 || bytes + costOf(item) <= this.#options.maxBytes
  }

  /** Adds it. Where there is too much already, the session that has the most of it is sent away, which may be this one. */
  add(session: Session, item: PendingPublish): void {
    while (!this.hasRoomFor(item)) {
      const largest = this.#largest(session, costOf(item))
      this.#delete(largest)
      this.#options.sendAway(largest)
      if (largest === session) return
    }
    session.publisher.addPending(item, this.#total)
    this.#waiting.add(session)
    this.isEmpty = false
  }

  /** Moves on as far as there is room, one event of each session after the other. @returns whether nothing waits any more */
  drain(): boolean {
    for (const session of this.#waiting) {
      const item = session.publisher.nextPending
      if (item === undefined || session.hasEnded) {
        // Its connection broke: what waited went with it.
        this.#delete(session)
        continue
      }
      if (!this.#options.accept(session, item)) return false
      session.publisher.removePending()
      // To the end of the set. The loop comes to it again.
      this.#delete(session)
      if (session.publisher.pending === 0) continue
      this.#waiting.add(session)
      this.isEmpty = false
    }
    return true
  }

  #delete(session: Session): void {
    this.#waiting.delete(session)
    this.isEmpty = this.#waiting.size === 0
  }

  /** @param more - bytes that come to those of `session` */
  #largest(session: Session, more: number): Session {
    let largest = session
    let cost = session.publisher.pendingCost + more
    for (const other of this.#waiting) {
      if (other.publisher.pendingCost <= cost) continue
      largest = other
      cost = other.publisher.pendingCost
    }
    return largest
  }
}
