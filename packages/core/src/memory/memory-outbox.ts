/** The outbound queue of a memory transport, and the pump that delivers from it. */

import { setLongTimeout, type Clock, type Timer } from '../contract/clock.ts'
import {
  AbortedError,
  DroppedError,
  TimeoutError,
  QueueFullError,
  type Outcome,
} from '../contract/errors.ts'
import { BoundedQueue, refusalError, type OfferResult } from '../queue/bounded-queue.ts'
import type { QueueOptions, QueueStats } from '../queue/queue-options.ts'
import type { MemoryFeed } from './memory-medium.ts'
import type { PublishOptions, PublishReceipt, UndeliverableReason } from '../contract/transport.ts'
import type { AbortWatch } from '../queue/abort-watch.ts'

import type { Event } from '../contract/event.ts'

/** An encoded event on its way to the feeds. */
export interface Parcel {
  readonly id: string
  readonly type: string
  readonly frame: string | Uint8Array
  /** Delivered to every feed. */
  sent(): void
  /** Given up by the queue's strategy. */
  dropped(): void
  /** Left behind at close. */
  abandoned(error: Error): void
}

export interface OutboxOwner {
  readonly clock: Clock
  /** How long one feed may hold the queue, in milliseconds. */
  readonly holdMs: number
  feedsOf(type: string): readonly MemoryFeed[]
  deliver(parcel: Parcel, feed: MemoryFeed): void
  onLevel(level: 'high' | 'normal', fillRatio: number): void
  /** A parcel left. */
  onLeft(): void
}

const NOBODY: readonly never[] = Object.freeze([])

/** So many events in one turn; then timers and sockets get theirs. */
const EVENTS_PER_TURN = 256

/**
 * Delivers from its own turn, never inside `publish` or `ready`: a handler that publishes does not run the next
 * handler within its own call.
 */
export class MemoryOutbox {
  readonly #owner: OutboxOwner
  readonly #queue: BoundedQueue<Parcel>
  readonly #turn = (): void => this.#run()
  /** Under way. */
  #parcel: Parcel | undefined
  /** Feeds that it has to reach. */
  #targets: readonly MemoryFeed[] = NOBODY
  #reached = 0
  #isOpen = false
  #isScheduled = false
  #forget: (() => void) | undefined
  #onEmpty: (() => void) | undefined

  constructor(options: QueueOptions, owner: OutboxOwner) {
    this.#owner = owner
    this.#queue = new BoundedQueue<Parcel>(
      options,
      {
        sizeOf: ({ frame }) => Buffer.byteLength(frame),
        onDrop: (parcel) => parcel.dropped(),
        onLevel: (level, fillRatio) => owner.onLevel(level, fillRatio),
      },
      owner.clock,
    )
  }

  get hasRoom(): boolean {
    return this.#queue.hasRoom
  }

  get fillRatio(): number {
    return this.#queue.fillRatio
  }

  stats(): QueueStats {
    return this.#queue.stats()
  }

  /** Starts delivering. */
  open(): void {
    this.#isOpen = true
    this.#schedule()
  }

  offer(parcel: Parcel): OfferResult {
    const result = this.#queue.offer(parcel)
    if (result === 'accepted') this.#schedule()
    return result
  }

  /** Waits for room. */
  async push(parcel: Parcel, signal: AbortSignal): Promise<void> {
    await this.#queue.push(parcel, { signal })
    this.#schedule()
  }

  /** `false`: it is being delivered, or has been. */
  withdraw(parcel: Parcel): boolean {
    return this.#queue.remove(parcel)
  }

  /** Whether it may have reached some of its feeds. */
  isUnderWay(parcel: Parcel): boolean {
    return this.#parcel === parcel
  }

  /** Ends it and tells every parcel that was left. */
  close(errorOf: (outcome: Outcome) => Error): void {
    this.#isOpen = false
    this.#forget?.()
    const partial = this.#reached > 0 ? this.#parcel : undefined
    this.#parcel = undefined
    for (const parcel of this.#queue.close(errorOf('not-sent'))) {
      parcel.abandoned(errorOf(parcel === partial ? 'unknown' : 'not-sent'))
    }
    this.#onEmpty?.()
  }

  /** Resolves when nothing is left, also because it was closed. */
  untilEmpty(): Promise<void> {
    return new Promise((resolve) => {
      this.#onEmpty = resolve
      if (this.#size === 0) resolve()
    })
  }

  /** Ids of what has not been sent, those that wait for room not included. */
  ids(): string[] {
    return [...this.#queue].map((parcel) => parcel.id)
  }

  get #size(): number {
    return this.#queue.size + this.#queue.waiting
  }

  #schedule(): void {
    if (this.#isScheduled || !this.#isOpen || this.#forget !== undefined) return
    this.#isScheduled = true
    queueMicrotask(this.#turn)
  }

  #run(): void {
    // Still scheduled while it runs: what a sink publishes now must not start a turn of its own.
    for (let n = 0; n < EVENTS_PER_TURN; n++) {
      if (!this.#isOpen || (this.#parcel === undefined && !this.#next()) || !this.#deliver()) {
        this.#isScheduled = false
        return
      }
    }
    setImmediate(this.#turn)
  }

  #next(): boolean {
    const parcel = this.#queue.reserve()
    if (parcel === undefined) return false
    this.#parcel = parcel
    this.#targets = this.#owner.feedsOf(parcel.type)
    this.#reached = 0
    return true
  }

  /** `false`: a feed holds the queue, or the queue was closed. */
  #deliver(): boolean {
    const parcel = this.#parcel
    if (parcel === undefined) return false
    for (; this.#reached < this.#targets.length; this.#reached++) {
      const feed = this.#targets[this.#reached]
      if (feed === undefined || feed.hasEnded) continue
      if (feed.isHolding) {
        this.#waitFor(feed)
        return false
      }
      this.#owner.deliver(parcel, feed)
      if (!this.#isOpen) return false
    }
    this.#parcel = undefined
    // A quiet transport must not hold whoever got its last event.
    this.#targets = NOBODY
    this.#queue.commit()
    parcel.sent()
    this.#owner.onLeft()
    if (this.#size === 0) this.#onEmpty?.()
    return true
  }

  #waitFor(feed: MemoryFeed): void {
    const { clock, holdMs } = this.#owner
    let timer: Timer | undefined
    const forget = feed.hold(() => this.#resume())
    this.#forget = () => {
      this.#forget = undefined
      forget()
      if (timer !== undefined) clock.clearTimeout(timer)
    }
    if (holdMs === Infinity) return
    timer = clock.setTimeout(() => {
      // Its sink takes what it asked to wait for: late is better than never, see `holdMs`.
      feed.ready()
    }, holdMs)
  }

  #resume(): void {
    this.#forget?.()
    this.#schedule()
  }
}

export interface MemoryPublishInit {
  readonly id: string
  readonly type: string
  readonly frame: string | Uint8Array
  readonly options: PublishOptions
  readonly outbox: MemoryOutbox
  readonly clock: Clock
  /** Calls {@link MemoryPublish.abort}. */
  readonly signals: AbortWatch<MemoryPublish>
  /** The queue's strategy gave it up. */
  onDropped(error: DroppedError): void
}

interface Settle {
  resolve(receipt: PublishReceipt): void
  reject(error: unknown): void
}

/** A parcel whose publisher waits for it. */
export class MemoryPublish implements Parcel {
  readonly id: string
  readonly type: string
  readonly frame: string | Uint8Array
  readonly done: Promise<PublishReceipt>
  readonly #init: MemoryPublishInit
  /** Ends the wait for room. */
  readonly #giveUp = new AbortController()
  #stopTimer: (() => void) | undefined
  #settle: Settle | undefined

  constructor(init: MemoryPublishInit) {
    this.#init = init
    this.id = init.id
    this.type = init.type
    this.frame = init.frame
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
  }

  /** Puts it into the outbox, at once or when there is room. */
  start(): void {
    const { outbox } = this.#init
    const result = outbox.offer(this)
    if (result === 'full') {
      this.#watch()
      outbox.push(this, this.#giveUp.signal).catch((error: unknown) => this.fail(error))
    } else if (result === 'accepted') this.#watch()
    else this.fail(refusalError(result, Buffer.byteLength(this.frame), outbox.stats().maxBytes))
  }

  sent(): void {
    this.#release()?.resolve(Object.freeze({ id: this.id, status: 'confirmed', attempts: 1 }))
  }

  dropped(): void {
    const message = 'The outbound queue is full and gave the event up'
    const error = new DroppedError(message, { outcome: 'not-sent' })
    this.#init.onDropped(error)
    this.fail(error)
  }

  abandoned(error: Error): void {
    this.fail(error)
  }

  /** Its signal aborted. */
  abort(cause: unknown): void {
    this.#withdraw((outcome) => new AbortedError('publish', { cause, outcome }))
  }

  fail(error: unknown): void {
    this.#release()?.reject(error)
  }

  #watch(): void {
    const { options, clock } = this.#init
    const { signal, timeoutMs } = options
    if (signal !== undefined) this.#init.signals.add(signal, this)
    if (timeoutMs === undefined || timeoutMs === Infinity) return
    this.#stopTimer = setLongTimeout(clock, timeoutMs, () => {
      const message = `publish took longer than ${timeoutMs} ms`
      this.#withdraw((outcome) => new TimeoutError(message, { outcome }))
    })
  }

  #withdraw(makeError: (outcome: 'not-sent' | 'unknown') => Error): void {
    const { outbox } = this.#init
    const isOut = outbox.withdraw(this) || !outbox.isUnderWay(this)
    this.fail(makeError(isOut ? 'not-sent' : 'unknown'))
    this.#giveUp.abort()
  }

  #release(): Settle | undefined {
    const settle = this.#settle
    this.#settle = undefined
    this.#stopTimer?.()
    const { options, signals } = this.#init
    if (options.signal !== undefined) signals.delete(options.signal, this)
    return settle
  }
}

/** Tells that an event was given up. */
export type GiveUp = (reason: UndeliverableReason, event: Event, error: Error) => void

/** A parcel without a publisher. */
export class MemoryEmission implements Parcel {
  readonly id: string
  readonly type: string
  readonly frame: string | Uint8Array
  readonly #event: Event
  readonly #giveUp: GiveUp

  constructor(event: Event, frame: string | Uint8Array, giveUp: GiveUp) {
    this.id = event.id
    this.type = event.type
    this.frame = frame
    this.#event = event
    this.#giveUp = giveUp
  }

  /** Puts it into the outbox, or gives it up; `false` when there was no room for it. */
  offerTo(outbox: MemoryOutbox): boolean {
    const result = outbox.offer(this)
    if (result === 'full') this.dropped()
    else if (result !== 'accepted' && result !== 'dropped') {
      const { maxBytes } = outbox.stats()
      const error = refusalError(result, Buffer.byteLength(this.frame), maxBytes)
      this.#giveUp('dropped', this.#event, error)
    }
    return result !== 'full' && result !== 'rejected'
  }

  sent(): void {}

  dropped(): void {
    const error = new QueueFullError('The outbound queue is full', { outcome: 'not-sent' })
    this.#giveUp('dropped', this.#event, error)
  }

  abandoned(error: Error): void {
    this.#giveUp('closed', this.#event, error)
  }
}
