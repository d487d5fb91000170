/** The outbox: what waits to be sent, and what is under way. Every entry settles exactly once. */
import {
  AbortedError,
  AttemptsExhaustedError,
  BoundedQueue,
  ClosedError,
  TooLargeError,
  UnsupportedError,
  type BusError,
  type Delivery,
  type Event,
  type PublishOptions,
  type PublishReceipt,
  type QueueOptions,
  type QueueStats,
  type UndeliverableReason,
} from '@bus/core'
import type { Frame } from '../../protocol/protocol.ts'
import { OutboxEntry } from './outbox-entry.ts'
import { dropped, queueFull } from './outbox-errors.ts'
import type { OutboxPorts } from './outbox-ports.ts'
import { PublishLimits } from './publish-limits.ts'

/** Bounded; what a socket has not yet taken over stays at its head, so that nothing is lost by being taken out too early. */
export class Outbox {
  readonly #queue: BoundedQueue<OutboxEntry>
  readonly #ports: OutboxPorts
  /** What no entry may exceed: it could never be sent, or never be queued. */
  readonly #maxEntryBytes: number
  readonly #limits: PublishLimits
  #resent = 0
  #emptyWaiters: (() => void)[] = []
  /** Blocked for want of room. */
  readonly #line = new Set<OutboxEntry>()

  constructor(options: Required<QueueOptions>, ports: OutboxPorts) {
    this.#ports = ports
    this.#limits = new PublishLimits(ports.clock, (entry, error) => this.#withdraw(entry, error))
    this.#maxEntryBytes = Math.min(options.maxBytes, ports.maxMessageBytes)
    this.#queue = new BoundedQueue<OutboxEntry>(options, {
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
    const entry = new OutboxEntry(event, frame)
    entry.isConfirmed = isConfirmed
    entry.mustBeConfirmed = options.delivery === 'at-least-once'
    return new Promise((resolve, reject) => {
      entry.await(resolve, reject)
      this.#limits.start(entry, options)
      this.#offer(entry)
    })
  }

  /** Takes the event without a promise; `false` when there was no room for it, or is none for another. */
  emit(event: Event, frame: Frame, isConfirmed: boolean, delivery?: Delivery): boolean {
    const entry = new OutboxEntry(event, frame)
    entry.isConfirmed = isConfirmed
    entry.mustBeConfirmed = delivery === 'at-least-once'
    return this.#offer(entry) && this.#queue.hasRoom
  }

  /** The next entry to hand to a socket, which stays what it is. */
  peek(): OutboxEntry | undefined {
    return this.#queue.peek(this.#ports.rank)
  }

  /** The next entry to hand to a socket. It stays here until {@link leave}. */
  next(): OutboxEntry | undefined {
    const entry = this.#queue.reserve(this.#ports.rank)
    if (entry !== undefined) this.again(entry)
    return entry
  }

  /** Counts that an entry is handed to a socket. */
  again(entry: OutboxEntry): void {
    if (entry.attempts++ > 0) this.#resent++
  }

  /** The oldest entry under way was taken over by the operating system. */
  sent(): void {
    this.leave()?.sent()
  }

  /** The oldest entry under way leaves; it is settled by whoever says so. */
  leave(): OutboxEntry | undefined {
    const entry = this.#queue.commit()
    if (entry !== undefined) this.#limits.stop(entry)
    this.#ports.room()
    this.#checkEmpty()
    return entry
  }

  /** Everything that is here goes out in another form, without confirmation, and what was under way goes again. */
  recode(encode: (entry: OutboxEntry) => Frame): void {
    this.#queue.release()
    for (const entry of new Set([...this.#queue, ...this.#line])) {
      if (!entry.isDone) this.#recode(entry, encode)
      if (entry.isDone) this.#queue.remove(entry)
    }
    this.#checkEmpty()
  }

  #recode(entry: OutboxEntry, encode: (entry: OutboxEntry) => Frame): void {
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
    const spent: OutboxEntry[] = []
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

  /** Resolves when nothing is left and nobody waits for room. */
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

  /** What is under way cannot be called back: it stays, and only its publisher is told. */
  #withdraw(entry: OutboxEntry, error: BusError): void {
    if (entry.attempts === 0) this.#queue.remove(entry)
    this.#fail(entry, error)
    this.#checkEmpty()
  }

  #fail(entry: OutboxEntry, error: Error): void {
    this.#limits.stop(entry)
    entry.fail(error)
  }

  /** `false`: there was no room for it. */
  #offer(entry: OutboxEntry): boolean {
    if (entry.bytes > this.#maxEntryBytes) {
      this.#refuse(entry, new TooLargeError('The event', entry.bytes, this.#maxEntryBytes))
      return true
    }
    const refusal = this.#ports.admit?.(entry)
    if (refusal !== undefined) {
      this.#refuse(entry, refusal)
      return true
    }
    switch (this.#queue.offer(entry)) {
      case 'accepted':
        this.#ports.offered()
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

  #waitForRoom(entry: OutboxEntry): void {
    entry.leaveLine = new AbortController()
    this.#line.add(entry)
    this.#queue.push(entry, { signal: entry.leaveLine.signal }).then(
      () => {
        entry.leaveLine = undefined
        this.#line.delete(entry)
        this.#ports.offered()
      },
      (error: Error) => {
        this.#line.delete(entry)
        // An entry that left the line by itself is settled already: this changes nothing then.
        this.#fail(entry, error)
      },
    )
  }

  /** A publisher is told by its promise alone; an emitter has only the notice. */
  #refuse(entry: OutboxEntry, error: BusError): void {
    if (entry.isAwaited) this.#fail(entry, error)
    else this.giveUp(entry, error, 'rejected')
  }

  /** Tells whoever waits for it, and everybody else, that this event will not be delivered. */
  giveUp(entry: OutboxEntry, error: BusError, reason: UndeliverableReason): void {
    this.#fail(entry, error)
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
