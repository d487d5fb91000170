/** Publishing: what becomes of a line with an event. */
import type { RefusalCode } from '../../protocol/bus-v1/codes.ts'
import { UNNUMBERED, type PublishLine } from '../../protocol/bus-v1/publish-line.ts'
import type { Confirmations } from './confirmations.ts'
import type { Counters } from './counters.ts'
import { Holds } from './holds.ts'
import type { EventLog } from './log.ts'
import type { Permission } from './permission.ts'
import type { Held } from './publisher-session.ts'
import type { Rate } from './rate.ts'
import type { Room } from './room.ts'
import type { Session } from './session.ts'
import { TypeCache } from './type-cache.ts'

/** Who publishes. */
export interface Publisher {
  readonly session: Session
  readonly permission: Permission
  readonly rate: Rate
  /** Something of it was accepted. */
  wake(): void
  /** Something of it came again. */
  again(): void
  refused(n: number, code: RefusalCode): void
}

export interface PublishingOptions {
  readonly log: EventLog
  readonly room: Room
  /** `undefined`: what is in the log is confirmed. */
  readonly confirmations: Confirmations | undefined
  readonly counters: Counters
  readonly maxEventBytes: number
  readonly windowEvents: number
  /** Before this moment nothing is accepted. */
  readonly opensAt: number
  /** The log grew. */
  readonly onAppended: () => void
  /** An event of a session entered the log. */
  readonly onPublished: (offset: number) => void
  /** Whether somebody outside of the log has no room. */
  readonly isBlocked: () => boolean
  /** A session has news for its publisher. */
  readonly onAccepted: (session: Session) => void
}

/** What ends the link: a number that leaves a hole, or one that is too far ahead. */
export type PublishConflict = 'hole' | 'window'

/** The rules of the hub for what is published. */
export class Publishing {
  readonly #options: PublishingOptions
  readonly #holds: Holds
  readonly #types = new TypeCache()
  #now = 0
  /** Takes nothing new. */
  isClosed = false

  constructor(options: PublishingOptions) {
    this.#options = options
    this.#holds = new Holds((session, held) => this.#acceptHeld(session, held))
  }

  get holds(): Pick<Holds, 'events' | 'sessions' | 'isEmpty'> {
    return this.#holds
  }

  /** Takes the event whose line begins at `from` and ends before `to`. */
  publish(
    publisher: Publisher,
    bytes: Buffer,
    from: number,
    to: number,
    line: PublishLine,
    resent: boolean,
    now: number,
  ): PublishConflict | undefined {
    const { n } = line
    const { counters, windowEvents } = this.#options
    const books = publisher.session.publisher
    if (n !== UNNUMBERED) {
      const place = books.place(n)
      if (place === 'again') {
        counters.duplicates++
        publisher.again()
        return undefined
      }
      if (place === 'hole') return 'hole'
      if (n - books.confirmed > windowEvents || books.isOverfull(to - from)) return 'window'
      books.receive(n)
    }
    const type = this.#types.read(bytes, line.typeFrom, line.typeTo)
    const refusal = this.#judge(publisher, type, to - from, now)
    if (type === undefined || refusal !== undefined) {
      this.#refuse(publisher, n, refusal ?? 'type')
    } else this.#take(publisher, bytes, to, line, type, resent, now)
    return undefined
  }

  /** An event of somebody without a session, who hears nothing of it: without room it is dropped, and counted. */
  publishPlain(type: string, line: Buffer, now: number): void {
    const { room, log, counters, onAppended } = this.#options
    if (!this.isClosed && this.#isOpen(now) && room.make(line.length, now)) {
      log.append(false, line, 0, line.length, type, now)
      counters.published++
      onAppended()
    } else counters.shed++
  }

  /** Moves on what waits, as far as there is room. */
  drain(now: number): void {
    if (this.#holds.isEmpty || now < this.#options.opensAt || this.#options.isBlocked()) return
    this.#now = now
    if (this.#holds.drain()) this.#options.room.settled()
  }

  /** Whether nothing waits and nothing stands in the way, apart from room in the log. */
  #isOpen(now: number): boolean {
    const { opensAt, isBlocked } = this.#options
    return this.#holds.isEmpty && now >= opensAt && !isBlocked()
  }

  #judge(
    publisher: Publisher,
    type: string | undefined,
    bytes: number,
    now: number,
  ): RefusalCode | undefined {
    if (this.isClosed) return 'closed'
    if (bytes > this.#options.maxEventBytes) return 'size'
    if (type === undefined) return 'type'
    if (!publisher.permission.mayPublish(type)) return 'auth'
    return publisher.rate.take(now) ? undefined : 'rate'
  }

  #refuse(publisher: Publisher, n: number, code: RefusalCode): void {
    const { session } = publisher
    this.#options.counters.refused++
    if (n === UNNUMBERED) return
    session.publisher.refuse(n, code)
    publisher.refused(n, code)
    const held: Held = { n, type: '', verb: 'ev', line: undefined }
    // Its number must not be confirmed before those in front of it.
    if (session.publisher.held > 0) this.#holds.add(session, held)
    else this.#acceptHeld(session, held)
  }

  #take(
    publisher: Publisher,
    bytes: Buffer,
    to: number,
    { n, typeFrom }: PublishLine,
    type: string,
    resent: boolean,
    now: number,
  ): void {
    const { session } = publisher
    const { log, room } = this.#options
    if (this.#isOpen(now) && room.make(to - typeFrom, now)) {
      const offset = log.append(resent, bytes, typeFrom, to, type, now)
      this.#accepted(session, n, offset, type)
      if (n !== UNNUMBERED) publisher.wake()
    } else this.#hold(session, bytes, typeFrom, to, n, type, resent)
  }

  #hold(
    session: Session,
    bytes: Buffer,
    from: number,
    to: number,
    n: number,
    type: string,
    resent: boolean,
  ): void {
    if (n === UNNUMBERED && !session.publisher.canHold(to - from)) {
      this.#options.counters.shed++
      return
    }
    // A copy: the message that it is part of may be much larger.
    const line = Buffer.from(bytes.subarray(from, to))
    this.#holds.add(session, { n, type, verb: resent ? 'rv' : 'ev', line })
  }

  #acceptHeld(session: Session, { n, type, verb, line }: Held): boolean {
    const { log, room, confirmations, onAccepted, isBlocked } = this.#options
    if (line === undefined) {
      session.publisher.accept(n)
      if (confirmations === undefined) session.publisher.confirm(n)
      else confirmations.refused(session, n)
    } else {
      if (isBlocked() || !room.make(line.length, this.#now)) return false
      const offset = log.append(verb === 'rv', line, 0, line.length, type, this.#now)
      this.#accepted(session, n, offset, type)
    }
    onAccepted(session)
    return true
  }

  #accepted(session: Session, n: number, offset: number, type: string): void {
    const { confirmations, counters, onAppended, onPublished } = this.#options
    counters.published++
    onAppended()
    onPublished(offset)
    if (n === UNNUMBERED) return
    session.publisher.accept(n)
    if (confirmations === undefined) session.publisher.confirm(n)
    else confirmations.accepted(session, n, offset, type)
  }
}
