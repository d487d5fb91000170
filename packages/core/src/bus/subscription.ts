/** A live subscription: what a transport delivers waits in a bounded queue for the handler. */

import type { Filled } from '../config/options.ts'
import Denque from 'denque'
import {
  ClosedError,
  DroppedError,
  HandlerError,
  QueueFullError,
  TooLargeError,
  asError,
} from '../contract/errors.ts'
import type { Event } from '../contract/event.ts'
import type { Handler, Subscription, SubscriptionStats } from '../contract/subscriber.ts'
import type { Feed, Sink } from '../contract/transport.ts'
import { BoundedQueue } from '../queue/bounded-queue.ts'
import type { QueueOptions, QueueStats } from '../queue/queue-options.ts'
import { FailureHandling } from './event-handling.ts'
import { HandlerRunner, type SubscriptionHost } from './handler-runner.ts'
import type { BusEvents } from './notices.ts'
import type { ResolvedSubscribeOptions } from './subscribe-options.ts'
import { ParallelWorkers, type QueuedEvent } from './workers.ts'

export interface HandlerSubscriptionInit {
  readonly id: string
  readonly patterns: readonly string[]
  readonly handler: Handler
  readonly options: ResolvedSubscribeOptions
  readonly host: SubscriptionHost
}

/** `finishing`: takes nothing more and handles what it has. */
type State = 'live' | 'finishing' | 'ended'

/** What becomes of the events that still wait when a subscription ends. */
type Leftovers = 'settle' | 'give-up'

/**
 * The way of an event: idle and nothing before it, the handler is called at once, inside `deliver`; else it waits.
 * An event is settled when it was handled or given up, so a transport that acknowledges does so after the handler.
 *
 * The figures of the queue count the events that had to wait.
 */
export class HandlerSubscription implements Sink, Subscription {
  readonly id: string
  readonly patterns: readonly string[]
  readonly closed: Promise<void>
  readonly #host: SubscriptionHost
  readonly #queue: DeliveryQueue
  readonly #runner: HandlerRunner
  readonly #failures: FailureHandling
  /** Runs the handlers where more than one may run at a time. */
  readonly #workers: ParallelWorkers | undefined
  readonly #stop = new AbortController()
  /** Whether a handler runs, where no more than one may. */
  #isBusy = false
  /** Handlers that return at once would otherwise nest one call deeper per event. */
  #isLooping = false
  #handled = 0
  #consecutiveErrors = 0
  /** Called whenever a handler has ended, or a pause; those that return true are removed. */
  #waiters: (() => boolean)[] = []
  #feed: Feed | undefined
  #feedGone: Promise<void> = Promise.resolve()
  #state: State = 'live'
  #isPaused = false
  #failure: Error | undefined
  #onClosed: () => void = () => {}

  constructor(init: HandlerSubscriptionInit) {
    const { id, patterns, handler, options, host } = init
    this.id = id
    this.patterns = Object.freeze([...patterns])
    this.#host = host
    this.#queue = new DeliveryQueue(options.queue, options.lowWaterMark, {
      onDrop: (queued, error) => this.#giveUp('dropped', queued, error),
      onLevel: (level, fillRatio) => host.pressure(this, level, fillRatio),
      onRoom: () => this.#feed?.ready(),
    })
    const { handlerTimeoutMs: timeoutMs, zombieLimit, concurrency, orderBy } = options
    this.#runner = new HandlerRunner({ handler, subscription: this, host, timeoutMs, zombieLimit })
    this.#failures = this.#failureHandling(options)
    if (concurrency > 1) this.#workers = this.#parallelWorkers(concurrency, orderBy)
    this.closed = new Promise((resolve, reject) => {
      this.#onClosed = () => (this.#failure === undefined ? resolve() : reject(this.#failure))
    })
    // Without a listener this must not become an unhandled rejection; the failure is also reported.
    this.closed.catch(() => {})
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Aborted when it ends, before what runs has ended. */
  get ended(): AbortSignal {
    return this.#stop.signal
  }

  /** Connects the transport's end. The transport delivers nothing before it has returned it. */
  attach(feed: Feed): void {
    this.#feed = feed
  }

  /** The return value is the back pressure: `false` when the queue (strategy `block`) has no room after this event. */
  deliver(event: Event, token: number): boolean {
    if (this.#state !== 'live') return true
    const isIdle = this.#workers === undefined && !this.#isBusy && !this.#isLooping
    if (isIdle && !this.#isPaused && this.#queue.size === 0) {
      this.#startFirst(event, token)
    } else {
      this.#queue.add({ event, token })
      this.#wake()
    }
    // Read last: the handler may have made room meanwhile.
    return !this.#queue.isHolding
  }

  /** Events that wait for the handler, with those that came although the transport was to pause. */
  get queued(): number {
    return this.#queue.size + (this.#workers?.waiting ?? 0)
  }

  pause(): void {
    if (this.#state !== 'ended') this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#onChange()
    this.#wake()
  }

  /**
   * Called from inside a handler of this subscription it does not wait for that handler, only for the others:
   * the handler may await it.
   */
  async unsubscribe(): Promise<void> {
    const own = this.#runner.isInside ? 1 : 0
    this.#end('settle', new ClosedError('The subscription has ended'))
    await this.#until(() => this.#active <= own)
    await this.#feedGone
  }

  /** Takes nothing more; resolves when everything it has is handled, or the subscription ended. */
  async finish(): Promise<void> {
    const own = this.#runner.isInside ? 1 : 0
    if (this.#state === 'live') {
      this.#state = 'finishing'
      this.#dropFeed()
    }
    await this.#until(() => this.#state === 'ended' || this.#load() <= own)
    await this.#feedGone
  }

  /** Ends at once: contexts are aborted, what waits is given up. Returns how many events were not handled. */
  abandon(error: Error): number {
    const left = this.#load() - (this.#runner.isInside ? 1 : 0)
    this.#end('give-up', error)
    this.#runner.abort(error)
    return left
  }

  /** The same, and `closed` rejects with the error. */
  terminate(error: Error): number {
    this.#failure ??= error
    return this.abandon(error)
  }

  stats(): SubscriptionStats {
    return Object.freeze({
      queue: this.#queue.stats(),
      active: this.#active,
      zombies: this.#runner.zombies,
      handled: this.#handled,
      consecutiveErrors: this.#consecutiveErrors,
      ...this.#failures.counts(),
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.unsubscribe()
  }

  /** Handlers that run. */
  get #active(): number {
    return this.#workers?.active ?? (this.#isBusy ? 1 : 0)
  }

  get #mayStart(): boolean {
    return !this.#isPaused && this.#state !== 'ended'
  }

  /** There may be something to handle. */
  #wake(): void {
    if (this.#workers !== undefined) return this.#workers.wake()
    if (this.#isLooping) return
    this.#isLooping = true
    while (!this.#isBusy && this.#mayStart) {
      const next = this.#queue.take()
      if (next === undefined) break
      this.#queue.relieve()
      this.#start(next.event, next.token)
    }
    this.#isLooping = false
  }

  /** Handles an event with nothing before it, then what came meanwhile. */
  #startFirst(event: Event, token: number): void {
    this.#isLooping = true
    this.#start(event, token)
    this.#isLooping = false
    if (this.#queue.size > 0) this.#wake()
  }

  #start(event: Event, token: number): void {
    this.#isBusy = true
    const pending = this.#handle(event, token)
    if (pending === undefined) {
      this.#isBusy = false
      if (this.#waiters.length > 0) this.#onChange()
    } else void this.#untilHandled(pending)
  }

  async #untilHandled(pending: Promise<void>): Promise<void> {
    try {
      await pending
    } catch (error) {
      this.#host.report('handler', asError(error))
    }
    this.#isBusy = false
    this.#onChange()
    this.#wake()
  }

  /** `undefined` when the event has come to its end already. */
  #handle(event: Event, token: number): undefined | Promise<void> {
    let run: undefined | Promise<void>
    try {
      run = this.#runner.run(event, 1)
    } catch (error) {
      return this.#failures.failed(event, token, error)
    }
    if (run !== undefined) {
      return run.then(
        () => this.#succeeded(token),
        (error: unknown) => this.#failures.failed(event, token, error),
      )
    }
    this.#succeeded(token)
    return undefined
  }

  #succeeded(token: number): void {
    this.#handled++
    this.#consecutiveErrors = 0
    this.#feed?.settle(token)
  }

  #failureHandling({ errorPolicy }: ResolvedSubscribeOptions): FailureHandling {
    const owner = {
      stop: this.#stop.signal,
      untilResumed: () => this.#until(() => !this.#isPaused || this.#state === 'ended'),
      retrying: (retry: Omit<BusEvents['retry'], 'id'>) => this.#host.retrying(this, retry),
      attemptFailed: () => void this.#consecutiveErrors++,
      succeeded: (token: number) => this.#succeeded(token),
      settle: (token: number) => this.#feed?.settle(token),
      fail: (error: Error, event: Event) => this.#fail(error, event),
    }
    return new FailureHandling(owner, this.#host, this.#runner, errorPolicy)
  }

  #parallelWorkers(
    concurrency: number,
    orderBy: ((event: Event) => string) | undefined,
  ): ParallelWorkers {
    const owner = {
      mayStart: () => this.#mayStart,
      handle: (event: Event, token: number) => this.#handle(event, token),
      onBadKey: ({ event, token }: QueuedEvent, error: unknown) =>
        this.#failures.refuse(event, token, error),
      onFree: () => this.#onChange(),
      onDefect: (error: unknown) => this.#host.report('handler', asError(error)),
    }
    return new ParallelWorkers(this.#queue, owner, concurrency, orderBy)
  }

  /** Events that it has: waiting or being handled. */
  #load(): number {
    return this.#active + this.queued
  }

  #fail(error: Error, event: Event): void {
    const message = `The handler failed for event ${event.id} and its error policy is to fail`
    this.#failure ??= new HandlerError(message, { cause: error })
    this.#host.report('handler', this.#failure)
    this.#end('give-up', this.#failure)
  }

  #end(leftovers: Leftovers, error: Error): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#isPaused = false
    this.#dropFeed()
    this.#stop.abort(error)
    for (const queued of [...(this.#workers?.clear() ?? []), ...this.#queue.close(error)]) {
      if (leftovers === 'settle') this.#feed?.settle(queued.token)
      else this.#giveUp('closed', queued, error)
    }
    this.#host.ended(this)
    this.#onChange()
    void this.#settleClosed()
  }

  #dropFeed(): void {
    const feed = this.#feed
    if (feed === undefined) return
    this.#feedGone = feed.unsubscribe().catch((error: unknown) => {
      this.#host.report('subscription', asError(error))
    })
  }

  #giveUp(reason: 'dropped' | 'closed', { event, token }: QueuedEvent, error: Error): void {
    const isSafe = this.#host.giveUp({ reason, direction: 'inbound', error, attempts: 0, event })
    // The rest of a subscription that failed is not handled, and the others of its transport must not wait for it.
    const isOver = reason === 'dropped' || this.#failure !== undefined || this.#host.hasDeadLetters
    if (isSafe && isOver) this.#feed?.settle(token)
  }

  async #settleClosed(): Promise<void> {
    await this.#until(() => this.#active === 0)
    this.#runner.end()
    await this.#feedGone
    this.#onClosed()
  }

  #until(isTrue: () => boolean): Promise<void> {
    if (isTrue()) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiters.push(() => {
        if (!isTrue()) return false
        resolve()
        return true
      })
    })
  }

  #onChange(): void {
    if (this.#waiters.length === 0) return
    this.#waiters = this.#waiters.filter((wake) => !wake())
  }
}

/** What a queue of deliveries calls of its subscription. */
interface DeliveryQueueOwner {
  /** The queue's strategy dropped the event. */
  onDrop(queued: QueuedEvent, error: Error): void
  onLevel(level: 'high' | 'normal', fillRatio: number): void
  /** There is room again after {@link DeliveryQueue.isHolding}. */
  onRoom(): void
}

/** Below this fill the transport may resume. Half, so that it gets going before the queue runs dry. */
const RESUME_AT = 0.5

/**
 * Where the events of a subscription wait for its handler. With strategy `block` an event that a transport delivers
 * although it was to pause is not lost: it waits behind the bounded queue, in order. A transport that keeps to the
 * contract never uses that overflow.
 */
class DeliveryQueue {
  readonly #queue: BoundedQueue<QueuedEvent>
  readonly #overflow = new Denque<QueuedEvent>()
  readonly #owner: DeliveryQueueOwner
  readonly #blocks: boolean
  readonly #lowWaterMark: number | undefined
  /** Whether the transport is to pause until `onRoom`. */
  isHolding = false

  /** @param lowWaterMark - events that may wait when the transport resumes, instead of the usual fill */
  constructor(
    options: Filled<QueueOptions>,
    lowWaterMark: number | undefined,
    owner: DeliveryQueueOwner,
  ) {
    this.#owner = owner
    this.#lowWaterMark = lowWaterMark
    this.#blocks = options.strategy === 'block'
    this.#queue = new BoundedQueue<QueuedEvent>(options, {
      // Measuring costs a serialisation, so only where a limit is set.
      ...(options.maxBytes === Infinity ? {} : { sizeOf: sizeOfQueued }),
      onDrop: (queued) => owner.onDrop(queued, dropped(options.strategy)),
      onLevel: (level, fillRatio) => owner.onLevel(level, fillRatio),
    })
  }

  /** How many wait. */
  get size(): number {
    return this.#queue.size + this.#overflow.length
  }

  /** With what waits behind the queue: its size is then above its capacity. */
  stats(): QueueStats {
    const stats = this.#queue.stats()
    const behind = this.#overflow.length
    if (behind === 0) return stats
    const size = stats.size + behind
    const fillRatio = Math.max(stats.fillRatio, size / stats.capacity)
    return Object.freeze({ ...stats, received: stats.received + behind, size, fillRatio })
  }

  /** Takes an event in. */
  add(queued: QueuedEvent): void {
    if (this.#overflow.length > 0 || !this.#offer(queued)) this.#overflow.push(queued)
    if (this.#blocks && !this.#queue.hasRoom) this.isHolding = true
  }

  /** The oldest leaves. Call {@link relieve} once its order is fixed: the transport may deliver more in that call. */
  take(): QueuedEvent | undefined {
    const queued = this.#queue.take()
    let next = this.#overflow.peekFront()
    while (next !== undefined && this.#offer(next)) {
      this.#overflow.shift()
      next = this.#overflow.peekFront()
    }
    return queued
  }

  /** Lets the transport resume, if it paused and the queue has fallen far enough. */
  relieve(): void {
    if (!this.isHolding || this.#overflow.length > 0) return
    const isLow =
      this.#lowWaterMark === undefined
        ? this.#queue.fillRatio <= RESUME_AT
        : this.#queue.size <= this.#lowWaterMark
    if (!isLow || !this.#queue.hasRoom) return
    this.isHolding = false
    this.#owner.onRoom()
  }

  /** Ends the queue and returns what was left, oldest first. */
  close(error: Error): QueuedEvent[] {
    const left = [...this.#queue.close(error), ...this.#overflow.toArray()]
    this.#overflow.clear()
    return left
  }

  /** `false`: full, and not taken. */
  #offer(queued: QueuedEvent): boolean {
    const result = this.#queue.offer(queued)
    if (result === 'full') return false
    if (result === 'rejected') {
      this.#owner.onDrop(queued, new QueueFullError('The queue of the subscription is full'))
    } else if (result === 'too-large') {
      const { maxBytes } = this.#queue.stats()
      const size = sizeOfQueued(queued)
      this.#owner.onDrop(queued, new TooLargeError('The event', size, maxBytes))
    }
    return true
  }
}

function dropped(strategy: string): DroppedError {
  return new DroppedError(`Given up by the queue of the subscription (${strategy})`)
}

function sizeOfQueued({ event }: QueuedEvent): number {
  if (event.payload instanceof Uint8Array) return event.payload.byteLength
  try {
    const text = JSON.stringify(event.payload) as string | undefined
    return text === undefined ? 0 : Buffer.byteLength(text)
  } catch {
    // Not JSON (a cycle, a BigInt): it did not come over a wire, and its size is not known.
    return 0
  }
}
