/** The outbox: events that wait to be sent or are under way. Every entry settles exactly once. */

import {
  AbortedError,
  AttemptsExhaustedError,
  BusError,
  ClosedError,
  TooLargeError,
  UnsupportedError,
  DroppedError,
  RateLimitError,
  QueueFullError,
  type Delivery,
  type Event,
  type PublishOptions,
  type PublishReceipt,
  type QueueOptions,
  type QueueStats,
  type RateLimitNotice,
  type UndeliverableReason,
  type Clock,
  type Undeliverable,
} from '@bus/core'
import { BoundedQueue, OutboxEntry, PublishLimits, type Filled } from '@bus/core/kit'
import type { Frame } from '../../protocol/protocol.ts'
import type { Admission, AdmissionPermit } from '../options/admission.ts'
import type { Writer } from './writer.ts'

/** Bounded. An event that is under way stays at its head until it is settled, so that a broken link loses nothing. */
export class Outbox {
  readonly #queue: BoundedQueue<ClientOutboxEntry>
  readonly #ports: OutboxPorts
  readonly #writer: Pick<Writer, 'wake'>
  readonly #admission: Admission | undefined
  /** What no entry may exceed: it could never be sent, or never be queued. */
  readonly #maxEntryBytes: number
  readonly #limits: PublishLimits<ClientOutboxEntry>
  /** What the queue sorts by; absent where entries go as they came. */
  readonly #rank: ((entry: ClientOutboxEntry) => number) | undefined
  /** The permit that was redeemed last: one at a time waits. */
  #redeemed: AdmissionPermit | undefined
  #resent = 0
  #emptyWaiters: (() => void)[] = []
  /** Blocked for want of room. */
  readonly #line = new Set<ClientOutboxEntry>()
  /** {@link emit} returned `false`: the next room is reported. */
  #isReadyAwaited = false

  /** @param writer - woken when there is something to write */
  constructor(options: Filled<QueueOptions>, writer: Pick<Writer, 'wake'>, ports: OutboxPorts) {
    this.#ports = ports
    this.#writer = writer
    this.#admission = ports.admission
    this.#rank = ports.admission?.hasPriorities === true ? byPriority : undefined
    this.#limits = new PublishLimits(ports.clock, (entry, error) => this.#withdraw(entry, error))
    this.#maxEntryBytes = Math.min(options.maxBytes, ports.maxMessageBytes)
    this.#queue = new BoundedQueue<ClientOutboxEntry>(options, {
      sizeOf: (entry) => entry.bytes,
      onDrop: (entry) => this.giveUp(entry, dropped(entry), 'dropped'),
      onLevel: (level, fillRatio) => ports.level(level, fillRatio),
    })
  }

  get isEmpty(): boolean {
    return this.#queue.size === 0 && this.#queue.waiting === 0
  }

  get hasRoom(): boolean {
    return this.#queue.hasRoom
  }

  /** Entries that were handed to a socket and have not left. */
  get underWay(): number {
    return this.#queue.reserved
  }

  /** How many times an entry was handed to a socket again after a broken link. */
  get resent(): number {
    return this.#resent
  }

  stats(): QueueStats {
    return this.#queue.stats()
  }

  /** Resolves when the operating system took the frame over; rejects with an error that says what became of it. */
  publish(
    event: Event,
    frame: Frame,
    isConfirmed: boolean,
    options: PublishOptions,
  ): Promise<PublishReceipt> {
    const { signal } = options
    if (signal?.aborted === true) {
      const how = { cause: signal.reason, outcome: 'not-sent' as const }
      return Promise.reject(new AbortedError(`Publishing ${event.id}`, how))
    }
    return new Promise((resolve, reject) => {
      const { delivery } = options
      const entry = new ClientOutboxEntry(event, frame, isConfirmed, delivery, resolve, reject)
      if (signal !== undefined || options.timeoutMs !== undefined) {
        this.#limits.start(entry, options)
      }
      this.#offer(entry)
    })
  }

  /** Takes the event without a promise; `false` when there was no room for it, or is none for another. */
  emit(event: Event, frame: Frame, isConfirmed: boolean, delivery?: Delivery): boolean {
    const entry = new ClientOutboxEntry(event, frame, isConfirmed, delivery)
    const hasRoom = this.#offer(entry) && this.#queue.hasRoom
    if (!hasRoom) this.#isReadyAwaited = true
    return hasRoom
  }

  /** The next room is not reported: the owner that was to know of it has gone. */
  forgetReady(): void {
    this.#isReadyAwaited = false
  }

  /**
   * The next entry to hand to a socket, if it may be sent. It is under way now, and stays here until {@link leave}.
   *
   * @param room - bytes that its line may have
   * @param credit - bytes that it may have if it is confirmed
   * @returns `undefined` also when the next entry is larger than that; it then waits as before
   */
  next(room: number = Infinity, credit: number = Infinity): ClientOutboxEntry | undefined {
    if (this.#admission !== undefined) return this.#nextAdmitted(room, credit)
    const entry = this.#queue.reserve()
    if (entry === undefined) return undefined
    if (entry.lineBytes > room || (entry.isConfirmed && entry.bytes > credit)) {
      this.#queue.putBack()
      return undefined
    }
    if (entry.attempts++ > 0) this.#resent++
    return entry
  }

  #nextAdmitted(room: number, credit: number): ClientOutboxEntry | undefined {
    const entry = this.#queue.peek(this.#rank)
    if (entry === undefined || !this.mayWrite(entry)) return undefined
    if (entry.lineBytes > room || (entry.isConfirmed && entry.bytes > credit)) return undefined
    this.#queue.reserve(this.#rank)
    this.again(entry)
    return entry
  }

  /** Whether the entry may be sent now; otherwise the writer is woken when it may. */
  mayWrite({ permit }: ClientOutboxEntry): boolean {
    if (permit === undefined) return true
    if (this.#redeemed !== permit) this.#redeemed?.yield()
    this.#redeemed = permit
    return permit.redeem(() => this.#writer.wake())
  }

  /** Counts that an entry is handed to a socket. */
  again(entry: ClientOutboxEntry): void {
    if (entry.permit !== undefined) {
      entry.permit.spend()
      this.#redeemed = undefined
    }
    if (entry.attempts++ > 0) this.#resent++
  }

  /** The oldest entry under way was taken over by the operating system. */
  sent(): void {
    this.leave()?.settle('sent')
  }

  /** The oldest entry under way leaves; the caller settles it. */
  leave(): ClientOutboxEntry | undefined {
    const entry = this.#queue.commit()
    if (this.#isReadyAwaited && this.#queue.hasRoom) {
      this.#isReadyAwaited = false
      this.#ports.room()
    }
    if (this.#emptyWaiters.length > 0) this.#checkEmpty()
    return entry
  }

  /** Everything that is here goes out in another form, without confirmation, and what was under way goes again. */
  recode(encode: (entry: ClientOutboxEntry) => Frame): void {
    this.#queue.release()
    for (const entry of new Set([...this.#queue, ...this.#line])) {
      if (!entry.isDone) this.#recode(entry, encode)
      if (entry.isDone) this.#queue.remove(entry)
    }
    this.#checkEmpty()
  }

  #recode(entry: ClientOutboxEntry, encode: (entry: ClientOutboxEntry) => Frame): void {
    const { outcome } = entry
    try {
      if (entry.mustBeConfirmed) {
        throw new UnsupportedError('websocket', 'delivery at-least-once', { outcome })
      }
      entry.isConfirmed = false
      entry.frame = encode(entry)
    } catch (error) {
      entry.isDone = true
      this.#refuse(entry, error as BusError)
    }
  }

  /** The link broke: what was under way goes first on the next one, in order, unless its attempts are spent. */
  linkLost(): void {
    this.#queue.release()
    const spent: ClientOutboxEntry[] = []
    for (const entry of this.#queue) {
      // Only entries at the head can have been tried.
      if (entry.attempts === 0) break
      if (entry.attempts >= this.#ports.maxAttempts) spent.push(entry)
    }
    for (const entry of spent) {
      this.#queue.remove(entry)
      const message = `The event ${entry.event.id} was given up after ${entry.attempts} broken links`
      const error = new AttemptsExhaustedError(message, { outcome: 'unknown' })
      this.giveUp(entry, error, 'attempts-exhausted')
    }
    this.#checkEmpty()
  }

  /** Resolves when nothing is left and no publish waits for room. */
  whenEmpty(): Promise<void> {
    if (this.isEmpty) return Promise.resolve()
    return new Promise((resolve) => {
      this.#emptyWaiters.push(resolve)
    })
  }

  /** Rejects everything that is left and everything that comes; returns the ids of what was left. */
  close(cause: BusError | undefined): string[] {
    const why = cause === undefined ? {} : { cause }
    const closed = new ClosedError('The transport is closed', { ...why, outcome: 'not-sent' })
    const left = this.#queue.close(closed)
    const unsent = left.filter(({ isDone }) => !isDone)
    for (const entry of unsent) {
      const message = `The transport closed before the event ${entry.event.id} was sent`
      const error = new ClosedError(message, { ...why, outcome: entry.outcome })
      this.giveUp(entry, error, 'closed')
    }
    this.#checkEmpty()
    return unsent.map((entry) => entry.event.id)
  }

  /** What is under way cannot be called back: it stays, and only its publish settles. */
  #withdraw(entry: ClientOutboxEntry, error: BusError): void {
    if (entry.attempts === 0) this.#queue.remove(entry)
    entry.fail(error)
    this.#checkEmpty()
  }

  /** `false`: there was no room for it. */
  #offer(entry: ClientOutboxEntry): boolean {
    if (entry.bytes > this.#maxEntryBytes) {
      this.#refuse(entry, new TooLargeError('The event', entry.bytes, this.#maxEntryBytes))
      return true
    }
    const refusal = this.#admission === undefined ? undefined : this.#admit(entry, this.#admission)
    if (refusal !== undefined) {
      this.#refuse(entry, refusal)
      return true
    }
    switch (this.#queue.offer(entry)) {
      case 'accepted':
        this.#writer.wake()
        return true
      case 'dropped':
        return true // given up by the queue's hook
      case 'full':
        if (entry.isAwaited) this.#waitForRoom(entry)
        else this.giveUp(entry, queueFull(entry), 'dropped')
        return false
      case 'rejected':
      case 'too-large': // refused above
        this.#refuse(entry, queueFull(entry))
        return false
      case 'closed':
        this.#refuse(entry, new ClosedError('The transport is closed', { outcome: 'not-sent' }))
        return true
    }
  }

  /** Gives a new entry its permit, or returns why it gets none. */
  #admit(entry: ClientOutboxEntry, admission: Admission): BusError | undefined {
    const { event } = entry
    try {
      const permit = admission.admit(event)
      entry.permit = permit
      const { cost, expectedMs } = permit
      if (expectedMs > 0) {
        this.#notify({ action: 'queued', event, cost, retryAfterMs: expectedMs })
      }
      return undefined
    } catch (cause) {
      if (cause instanceof BusError && !(cause instanceof RateLimitError)) return cause
      const error = cause instanceof RateLimitError ? cause : notAdmitted(cause)
      const { cost, reason, retryAfterMs } = error
      if (reason === 'invalid-cost') this.#ports.admissionFailed(error)
      this.#notify({ action: 'rejected', event, cost, retryAfterMs })
      return error
    }
  }

  /** After the entry is in the queue, so that what a listener publishes comes behind it. */
  #notify(notice: RateLimitNotice): void {
    queueMicrotask(() => this.#ports.rateLimit(notice))
  }

  #waitForRoom(entry: ClientOutboxEntry): void {
    this.#line.add(entry)
    entry.waitFor(this.#queue).then(
      () => {
        this.#line.delete(entry)
        this.#writer.wake()
      },
      (error: Error) => {
        this.#line.delete(entry)
        // An entry that left the line by itself is settled already: this changes nothing then.
        entry.fail(error)
      },
    )
  }

  /** A publish learns it from its promise alone; an emitted event has only the notice. */
  #refuse(entry: ClientOutboxEntry, error: BusError): void {
    if (entry.isAwaited) entry.fail(error)
    else this.giveUp(entry, error, 'rejected')
  }

  /** Settles the publish, and reports the event as undeliverable. */
  giveUp(entry: ClientOutboxEntry, error: BusError, reason: UndeliverableReason): void {
    entry.fail(error)
    const { event, attempts } = entry
    this.#ports.undeliverable({ reason, direction: 'outbound', error, attempts, event })
  }

  #checkEmpty(): void {
    if (this.#emptyWaiters.length === 0 || !this.isEmpty) return
    const waiters = this.#emptyWaiters
    this.#emptyWaiters = []
    for (const resolve of waiters) resolve()
  }
}

/** Bytes of a line of `bus.v1` besides type, id and body: verb, number, spaces and the line feed. */
const LINE_BYTES = 24

/** An entry of the outbox with what a session notes about it. */
export class ClientOutboxEntry extends OutboxEntry {
  /** Bytes that it takes in a message of `bus.v1`, or a few less. */
  readonly lineBytes: number
  /** It leaves when the other side has confirmed it, not when the operating system has it. */
  isConfirmed: boolean
  /** Its publish accepts nothing less than a confirmation. */
  readonly mustBeConfirmed: boolean
  /** Its number within the session; 0 before it is first sent. */
  number = 0
  /** Sent before in a session that the other side lost: it may have arrived. */
  isResent = false
  declare permit: AdmissionPermit | undefined

  constructor(
    event: Event,
    frame: Frame,
    isConfirmed = false,
    delivery?: Delivery,
    resolve?: (receipt: PublishReceipt) => void,
    reject?: (error: Error) => void,
  ) {
    super(event, frame, resolve, reject)
    this.lineBytes = this.bytes + event.type.length + event.id.length + LINE_BYTES
    this.isConfirmed = isConfirmed
    this.mustBeConfirmed = delivery === 'at-least-once'
  }
}

function byPriority({ permit }: ClientOutboxEntry): number {
  return permit?.priority ?? 0
}

/** The admission threw something of its own. */
function notAdmitted(cause: unknown): RateLimitError {
  const how = { reason: 'invalid-cost', cost: NaN, retryAfterMs: Infinity } as const
  return new RateLimitError('`admission` could not admit the event', how, { cause })
}

/** Given up by a drop strategy. */
function dropped(entry: ClientOutboxEntry): DroppedError {
  const message = `The full outbox dropped the event ${entry.event.id}`
  return new DroppedError(message, { outcome: 'not-sent' })
}

/** Not taken. */
function queueFull(entry: ClientOutboxEntry): QueueFullError {
  const message = `The outbox is full, it did not take the event ${entry.event.id}`
  return new QueueFullError(message, { outcome: 'not-sent' })
}

export interface OutboxPorts {
  readonly clock: Clock
  /** Tries per event over broken links. */
  readonly maxAttempts: number
  /** The largest frame. */
  readonly maxMessageBytes: number
  /** Decides when an entry may be sent, and which goes first. Absent: at once, as they came. */
  readonly admission: Admission | undefined
  /** An entry waits for its permit, or gets none. */
  rateLimit(notice: RateLimitNotice): void
  /** The admission itself failed for an event. */
  admissionFailed(error: RateLimitError): void
  undeliverable(notice: Undeliverable): void
  level(level: 'high' | 'normal', fillRatio: number): void
  /** There is room again, after {@link Outbox.emit} returned `false`. */
  room(): void
}
