/** The places in which a subscription's handlers run: one, or several with or without lanes. */

import PQueue from 'p-queue'
import type { Event } from '../contract/event.ts'
import type { Delivery } from './intake.ts'
import Denque from 'denque'

/** What workers take from and give back to. `handle` never throws and never rejects. */
export interface WorkSource {
  /** Whether a handler may start now. */
  readonly mayStart: boolean
  /** How many wait. */
  readonly queued: number
  take(): Delivery | undefined
  /** What was taken is where it belongs: the transport may deliver more, in this very call. */
  relieve(): void
  /** `undefined` when it has ended already. */
  handle(event: Event, token: number): undefined | Promise<void>
  /** An event whose key could not be made. */
  onBadKey(delivery: Delivery, error: unknown): void
  /** A place became free. */
  onFree(): void
  /** Something that cannot happen did. */
  onDefect(error: unknown): void
}

/** The places of one subscription. */
export interface Workers {
  /** Handlers that run now. */
  readonly active: number
  /** Events that left the queue and wait for their lane. */
  readonly waiting: number
  /** Handles an event at once, if nothing is before it. `false`: queue it, then {@link wake}. */
  startNow(event: Event, token: number): boolean
  /** There may be something to take. */
  wake(): void
  /** Takes out what waits for its lane. */
  clear(): Delivery[]
}

/** One place: events are handled one after the other, in order. */
export class SerialWorker implements Workers {
  readonly waiting = 0
  readonly #source: WorkSource
  #active = 0
  /** Handlers that end at once would otherwise nest one call deeper per event. */
  #isLooping = false
  readonly #onEnd = (): void => {
    this.#active = 0
    this.#source.onFree()
    this.wake()
  }

  constructor(source: WorkSource) {
    this.#source = source
  }

  get active(): number {
    return this.#active
  }

  startNow(event: Event, token: number): boolean {
    if (this.#active > 0 || this.#isLooping) return false
    this.#isLooping = true
    this.#start(event, token)
    this.#isLooping = false
    this.wake()
    return true
  }

  wake(): void {
    if (this.#isLooping) return
    this.#isLooping = true
    while (this.#active === 0 && this.#source.mayStart) {
      const next = this.#source.take()
      if (next === undefined) break
      this.#source.relieve()
      this.#start(next.event, next.token)
    }
    this.#isLooping = false
  }

  clear(): Delivery[] {
    return []
  }

  #start(event: Event, token: number): void {
    this.#active = 1
    const pending = this.#source.handle(event, token)
    if (pending === undefined) {
      this.#active = 0
      this.#source.onFree()
    } else {
      pending.then(this.#onEnd, (error: unknown) => {
        this.#source.onDefect(error)
        this.#onEnd()
      })
    }
  }
}

/** How many events per place may leave the queue to find one whose lane is free. */
const LOOK_AHEAD = 16

/**
 * Several places. A task of the queue is a place that takes events until there are none, not an event:
 * so the queue holds at most `concurrency` tasks, and what waits stays where it is bounded.
 */
export class ParallelWorkers implements Workers {
  readonly #source: WorkSource
  readonly #concurrency: number
  readonly #places: PQueue
  readonly #orderBy: ((event: Event) => string) | undefined
  readonly #lanes = new Lanes<Delivery>()
  #working = 0
  #active = 0

  constructor(
    source: WorkSource,
    concurrency: number,
    orderBy: ((event: Event) => string) | undefined,
  ) {
    this.#source = source
    this.#concurrency = concurrency
    this.#orderBy = orderBy
    this.#places = new PQueue({ concurrency })
  }

  get active(): number {
    return this.#active
  }

  get waiting(): number {
    return this.#lanes.waiting
  }

  startNow(): boolean {
    return false
  }

  wake(): void {
    if (this.#working >= this.#concurrency || !this.#source.mayStart) return
    if (this.#source.queued === 0 && this.#lanes.waiting === 0) return
    this.#working++
    void this.#places
      .add(() => this.#work())
      .catch((error: unknown) => this.#source.onDefect(error))
  }

  clear(): Delivery[] {
    return this.#lanes.clear()
  }

  async #work(): Promise<void> {
    try {
      let next = this.#next()
      while (next !== undefined) {
        // There may be work for one more place.
        this.wake()
        this.#active++
        const pending = this.#source.handle(next.item.event, next.item.token)
        if (pending !== undefined) await pending
        this.#active--
        if (next.key !== undefined) this.#lanes.done(next.key)
        this.#source.onFree()
        next = this.#next()
      }
    } finally {
      this.#working--
    }
  }

  #next(): { readonly key?: string; readonly item: Delivery } | undefined {
    if (!this.#source.mayStart) return undefined
    if (this.#orderBy !== undefined) {
      this.#fillLanes(this.#orderBy)
      const next = this.#lanes.next()
      this.#source.relieve()
      return next
    }
    const item = this.#source.take()
    this.#source.relieve()
    return item && { item }
  }

  #fillLanes(orderBy: (event: Event) => string): void {
    while (this.#lanes.waiting < this.#concurrency * LOOK_AHEAD) {
      const delivery = this.#source.take()
      if (delivery === undefined) return
      try {
        this.#lanes.add(orderBy(delivery.event), delivery)
      } catch (error) {
        this.#source.onBadKey(delivery, error)
      }
    }
  }
}

interface Lane<T> {
  readonly key: string
  readonly items: Denque<T>
  isBusy: boolean
}

/**
 * Gives out items so that no two of one key are out at once. Holds only keys that have something waiting or out,
 * so it is as small as what it holds; the owner limits that.
 */
export class Lanes<T> {
  readonly #lanes = new Map<string, Lane<T>>()
  /** Lanes that wait for nothing but a place, longest waiting first. */
  readonly #ready = new Denque<Lane<T>>()
  #waiting = 0

  /** Items that were added and not yet given out. */
  get waiting(): number {
    return this.#waiting
  }

  /** Keys that have something waiting or out. */
  get size(): number {
    return this.#lanes.size
  }

  add(key: string, item: T): void {
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      this.#lanes.set(key, (lane = { key, items: new Denque<T>(), isBusy: false }))
    }
    if (!lane.isBusy && lane.items.length === 0) this.#ready.push(lane)
    lane.items.push(item)
    this.#waiting++
  }

  /** The next item whose key has none out, with its key. Give the key back to {@link done}. */
  next(): { readonly key: string; readonly item: T } | undefined {
    const lane = this.#ready.shift()
    const item = lane?.items.shift()
    if (lane === undefined || item === undefined) return undefined
    lane.isBusy = true
    this.#waiting--
    return { key: lane.key, item }
  }

  /** The item of this key that was out has ended. */
  done(key: string): void {
    const lane = this.#lanes.get(key)
    if (lane === undefined) return
    lane.isBusy = false
    if (lane.items.length > 0) this.#ready.push(lane)
    else this.#lanes.delete(key)
  }

  /** Takes out everything that waits, lane by lane. */
  clear(): T[] {
    const left = [...this.#lanes.values()].flatMap((lane) => lane.items.toArray())
    this.#lanes.clear()
    this.#ready.clear()
    this.#waiting = 0
    return left
  }
}
