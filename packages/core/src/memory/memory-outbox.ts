/** The outbox of a memory transport: events that wait to be delivered, and what delivers them. */

import type { Clock, Timer } from '../contract/clock.ts'
import { DroppedError, QueueFullError, type BusError, type Outcome } from '../contract/errors.ts'
import type { Event } from '../contract/event.ts'
import type { PublishOptions, PublishReceipt, UndeliverableReason } from '../contract/transport.ts'
import {
  BoundedQueue,
  refusalError,
  type OfferResult,
  type Refusal,
} from '../queue/bounded-queue.ts'
import { OutboxEntry, PublishLimits } from '../queue/outbox-entry.ts'
import type { QueueOptions, QueueStats } from '../queue/queue-options.ts'
import type { MemoryFeed } from './memory-medium.ts'

// Of the process, not what a test puts in its place.
const { setImmediate } = globalThis

/** What the outbox needs of its transport. */
export interface OutboxOwner {
  readonly clock: Clock
  /** How long one feed may keep the queue waiting, in milliseconds. */
  readonly holdMs: number
  feedsOf(type: string): readonly MemoryFeed[]
  deliver(frame: string | Uint8Array, feed: MemoryFeed): void
  onLevel(level: 'high' | 'normal', fillRatio: number): void
  /** An event left. */
  onLeft(): void
  /** An event was given up. */
  giveUp(reason: UndeliverableReason, event: Event, error: Error): void
}

const NO_FEEDS: readonly never[] = Object.freeze([])

/** So many events in one microtask; then timers and sockets come first. */
const EVENTS_PER_RUN = 256

/**
 * Delivers in a microtask of its own, never inside `publish` or `ready`: a handler that publishes does not run the next
 * handler within its own call.
 */
export class MemoryOutbox {
  readonly #owner: OutboxOwner
  readonly #queue: BoundedQueue<OutboxEntry>
  readonly #limits: PublishLimits<OutboxEntry>
  readonly #deliverSome = (): void => this.#run()
  /** Under way. */
  #entry: OutboxEntry | undefined
  /** Feeds that it has to reach. */
  #targets: readonly MemoryFeed[] = NO_FEEDS
  #reached = 0
  #isOpen = false
  #isScheduled = false
  #forget: (() => void) | undefined
  #onEmpty: (() => void) | undefined

  constructor(options: QueueOptions, owner: OutboxOwner) {
    this.#owner = owner
    this.#limits = new PublishLimits(owner.clock, (entry, error) => this.#withdraw(entry, error))
    this.#queue = new BoundedQueue<OutboxEntry>(
      options,
      {
        sizeOf: ({ bytes }) => bytes,
        onDrop: (entry) => this.#dropped(entry),
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

  /** Resolves when every feed was reached; rejects with an error that says what became of the event. */
  publish(
    event: Event,
    frame: string | Uint8Array,
    options: PublishOptions,
  ): Promise<PublishReceipt> {
    return new Promise((resolve, reject) => {
      const entry = new OutboxEntry(event, frame, resolve, reject)
      this.#limits.start(entry, options)
      const result = this.#offer(entry)
      if (result === 'full') {
        entry.waitFor(this.#queue).then(
          () => this.#schedule(),
          (error: Error) => entry.fail(error),
        )
      } else if (result !== 'accepted' && result !== 'dropped') {
        entry.fail(this.#refusal(result, entry))
      }
    })
  }

  /** Takes the event without a promise, or gives it up; `false` when there was no room for it, or is none for another. */
  emit(event: Event, frame: string | Uint8Array): boolean {
    const entry = new OutboxEntry(event, frame)
    const result = this.#offer(entry)
    if (result === 'full') this.#dropped(entry)
    else if (result !== 'accepted' && result !== 'dropped') {
      this.#owner.giveUp('dropped', event, this.#refusal(result, entry))
    }
    // There may be room for another, although there was none for this one, which is larger.
    return result !== 'full' && result !== 'rejected' && this.hasRoom
  }

  /** Ends it: every event that was left is given up. */
  close(errorOf: (outcome: Outcome) => Error): void {
    this.#isOpen = false
    this.#forget?.()
    const partial = this.#reached > 0 ? this.#entry : undefined
    this.#entry = undefined
    for (const entry of this.#queue.close(errorOf('not-sent'))) {
      const error = errorOf(entry === partial ? 'unknown' : 'not-sent')
      if (entry.isAwaited) entry.fail(error)
      else if (!entry.isDone) this.#owner.giveUp('closed', entry.event, error)
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
    return [...this.#queue].map(({ event }) => event.id)
  }

  get #size(): number {
    return this.#queue.size + this.#queue.waiting
  }

  #offer(entry: OutboxEntry): OfferResult {
    const result = this.#queue.offer(entry)
    if (result === 'accepted') this.#schedule()
    return result
  }

  #refusal(result: Refusal, { bytes }: OutboxEntry): BusError {
    return refusalError(result, bytes, this.#queue.stats().maxBytes)
  }

  /** The queue's strategy gave it up. */
  #dropped(entry: OutboxEntry): void {
    const how = { outcome: 'not-sent' } as const
    const error = entry.isAwaited
      ? new DroppedError('The outbound queue is full and gave the event up', how)
      : new QueueFullError('The outbound queue is full', how)
    this.#owner.giveUp('dropped', entry.event, error)
    entry.fail(error)
  }

  /** What is under way cannot be called back: it goes on to its feeds, and only its publish settles. */
  #withdraw(entry: OutboxEntry, error: BusError): void {
    this.#queue.remove(entry)
    entry.isDone = true
    entry.fail(error)
  }

  #schedule(): void {
    if (this.#isScheduled || !this.#isOpen || this.#forget !== undefined) return
    this.#isScheduled = true
    queueMicrotask(this.#deliverSome)
  }

  #run(): void {
    // Still scheduled while it runs: what a sink publishes now must not schedule a second run.
    for (let n = 0; n < EVENTS_PER_RUN; n++) {
      if (!this.#isOpen || (this.#entry === undefined && !this.#next()) || !this.#deliver()) {
        this.#isScheduled = false
        return
      }
    }
    setImmediate(this.#deliverSome)
  }

  #next(): boolean {
    const entry = this.#queue.reserve()
    if (entry === undefined) return false
    entry.attempts++
    this.#entry = entry
    this.#targets = this.#owner.feedsOf(entry.event.type)
    this.#reached = 0
    return true
  }

  /** `false`: a feed has no room, or the outbox was closed. */
  #deliver(): boolean {
    const entry = this.#entry
    if (entry === undefined) return false
    for (; this.#reached < this.#targets.length; this.#reached++) {
      const feed = this.#targets[this.#reached]
      if (feed === undefined || feed.hasEnded) continue
      if (feed.isHolding) {
        this.#waitFor(feed)
        return false
      }
      this.#owner.deliver(entry.frame, feed)
      if (!this.#isOpen) return false
    }
    this.#entry = undefined
    // A quiet transport must not keep those alive that got its last event.
    this.#targets = NO_FEEDS
    this.#queue.commit()
    entry.settle('confirmed')
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
      // Its sink gets the event although it is full: better beyond its capacity than never, see `holdMs`.
      feed.ready()
    }, holdMs)
  }

  #resume(): void {
    this.#forget?.()
    this.#schedule()
  }
}
