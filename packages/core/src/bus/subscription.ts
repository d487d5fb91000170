/** A live subscription: what a transport delivers waits in a bounded queue for the handler. */
import { ClosedError, HandlerError, asError } from '../contract/errors.ts'
import type { Event } from '../contract/event.ts'
import type { Handler, Subscription, SubscriptionStats } from '../contract/subscriber.ts'
import type { Feed, Sink } from '../contract/transport.ts'
import { EventHandling } from './event-handling.ts'
import { HandlerRunner, type SubscriptionHost } from './handler-runner.ts'
import { Intake, type Delivery, type IntakeOwner } from './intake.ts'
import type { ResolvedSubscribeOptions } from './subscribe-options.ts'
import { ParallelWorkers, SerialWorker, type Workers } from './workers.ts'

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
  readonly #intake: Intake
  readonly #runner: HandlerRunner
  readonly #handling: EventHandling
  readonly #workers: Workers
  readonly #stop = new AbortController()
  /** Run and forgotten whenever a place became free, or a pause ended. */
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
    const owner: IntakeOwner = {
      onDrop: (delivery, error) => this.#giveUp('dropped', delivery, error),
      onLevel: (level, fillRatio) => host.pressure(this, level, fillRatio),
      onRoom: () => this.#feed?.ready(),
    }
    this.#intake = new Intake(options.queue, owner, options.lowWaterMark)
    const { handlerTimeoutMs: timeoutMs, zombieLimit, concurrency } = options
    this.#runner = new HandlerRunner({ handler, subscription: this, host, timeoutMs, zombieLimit })
    this.#handling = new EventHandling(this.#ownHandling(), host, this.#runner, options.errorPolicy)
    const source = this.#workSource()
    this.#workers =
      concurrency === 1
        ? new SerialWorker(source)
        : new ParallelWorkers(source, concurrency, options.orderBy)
    this.closed = new Promise((resolve, reject) => {
      this.#onClosed = () => (this.#failure === undefined ? resolve() : reject(this.#failure))
    })
    // Whoever does not care must not be killed by an unhandled rejection; the failure is also reported.
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
    const isFirst = !this.#isPaused && this.#intake.size === 0
    if (isFirst && this.#workers.startNow(event, token)) return !this.#intake.isHolding
    this.#intake.add({ event, token })
    this.#workers.wake()
    // Asked last: the handler may have made room meanwhile.
    return !this.#intake.isHolding
  }

  /** Events that wait for the handler, with those that came although the transport was told to hold on. */
  get queued(): number {
    return this.#workers.waiting + this.#intake.size
  }

  pause(): void {
    if (this.#state !== 'ended') this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#onChange()
    this.#workers.wake()
  }

  /**
   * Called from inside a handler of this subscription it does not wait for that handler, only for the others:
   * the handler may await it.
   */
  async unsubscribe(): Promise<void> {
    const own = this.#runner.isInside ? 1 : 0
    this.#end('settle', new ClosedError('The subscription has ended'))
    await this.#until(() => this.#workers.active <= own)
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

  stats(): SubscriptionStats {
    return Object.freeze({
      queue: this.#intake.stats(),
      active: this.#workers.active,
      zombies: this.#runner.zombies,
      ...this.#handling.counts(),
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.unsubscribe()
  }

  #ownHandling(): ConstructorParameters<typeof EventHandling>[0] {
    return {
      stop: this.#stop.signal,
      untilResumed: () => this.#until(() => !this.#isPaused || this.#state === 'ended'),
      settle: (token) => this.#feed?.settle(token),
      fail: (error, event) => this.#fail(error, event),
    }
  }

  #workSource(): ConstructorParameters<typeof SerialWorker>[0] {
    const canStart = (): boolean => !this.#isPaused && this.#state !== 'ended'
    const queued = (): number => this.#intake.size
    return {
      get mayStart() {
        return canStart()
      },
      get queued() {
        return queued()
      },
      take: () => this.#intake.take(),
      relieve: () => this.#intake.relieve(),
      handle: (event, token) => this.#handling.handle(event, token),
      onBadKey: ({ event, token }, error) => this.#handling.refuse(event, token, error),
      onFree: () => this.#onChange(),
      onDefect: (error) => this.#host.report('handler', asError(error)),
    }
  }

  /** Events that it has: waiting or being handled. */
  #load(): number {
    return this.#workers.active + this.queued
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
    for (const delivery of [...this.#workers.clear(), ...this.#intake.close(error)]) {
      if (leftovers === 'settle') this.#feed?.settle(delivery.token)
      else this.#giveUp('closed', delivery, error)
    }
    this.#host.ended(this)
    this.#onChange()
    void this.#tellClosed()
  }

  #dropFeed(): void {
    const feed = this.#feed
    if (feed === undefined) return
    this.#feedGone = feed.unsubscribe().catch((error: unknown) => {
      this.#host.report('subscription', asError(error))
    })
  }

  #giveUp(reason: 'dropped' | 'closed', { event, token }: Delivery, error: Error): void {
    const isSafe = this.#host.giveUp({ reason, direction: 'inbound', error, attempts: 0, event })
    // Of a subscription that failed nobody handles the rest, and the others of its transport must not wait for it.
    const isOver = reason === 'dropped' || this.#failure !== undefined || this.#host.hasDeadLetters
    if (isSafe && isOver) this.#feed?.settle(token)
  }

  async #tellClosed(): Promise<void> {
    await this.#until(() => this.#workers.active === 0)
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
