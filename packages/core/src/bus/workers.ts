/** Runs the handlers of a subscription with a concurrency above one, in lanes where events have keys. */

import Denque from 'denque'
import PQueue from 'p-queue'
import type { Event } from '../contract/event.ts'

/** An event that waits, with the transport's name for this delivery. */
export interface QueuedEvent {
  readonly event: Event
  readonly token: number
}

/** What workers take from. */
export interface WorkQueue {
  /** How many wait. */
  readonly size: number
  take(): QueuedEvent | undefined
  /** The order of what was taken is fixed: the transport may deliver more, in this very call. */
  relieve(): void
}

/** What workers call of their subscription. `handle` never throws and never rejects. */
export interface WorkersOwner {
  /** Whether a handler may start now. */
  mayStart(): boolean
  /** `undefined` when it has ended already. */
  handle(event: Event, token: number): undefined | Promise<void>
  /** The key of an event could not be made. */
  onBadKey(queued: QueuedEvent, error: unknown): void
  /** A handler has ended. */
  onFree(): void
  /** An error that no code should cause. */
  onDefect(error: unknown): void
}

/** How many events per handler may leave the queue to find one whose lane is free. */
const LOOK_AHEAD = 16

/**
 * A task of the p-queue takes events until there are none, it is not an event: so there are at most `concurrency`
 * tasks, and what waits stays where it is bounded.
 */
export class ParallelWorkers {
  readonly #queue: WorkQueue
  readonly #owner: WorkersOwner
  readonly #tasks: PQueue
  readonly #orderBy: ((event: Event) => string) | undefined
  readonly #lanes = new Lanes<QueuedEvent>()
  /** Tasks whose handler runs; a task that finds no event ends a little later. */
  #active = 0

  constructor(
    queue: WorkQueue,
    owner: WorkersOwner,
    concurrency: number,
    orderBy: ((event: Event) => string) | undefined,
  ) {
    this.#queue = queue
    this.#owner = owner
    this.#orderBy = orderBy
    this.#tasks = new PQueue({ concurrency })
    // An event that came after a task had found none, and before it ended, has not started another.
    this.#tasks.on('next', () => this.wake())
  }

  /** Handlers that run now. */
  get active(): number {
    return this.#active
  }

  /** Events that left the queue and wait for their lane. */
  get waiting(): number {
    return this.#lanes.waiting
  }

  /** There may be something to handle. */
  wake(): void {
    if (this.#tasks.pending >= this.#tasks.concurrency) return
    if (!this.#hasWork || !this.#owner.mayStart()) return
    this.#tasks.add(() => this.#work()).catch((error: unknown) => this.#owner.onDefect(error))
  }

  /** Takes out what waits for its lane. */
  clear(): QueuedEvent[] {
    return this.#lanes.clear()
  }

  /** Whether a task would find an event, or at least put one into its lane. */
  get #hasWork(): boolean {
    if (this.#orderBy === undefined) return this.#queue.size > 0
    return this.#lanes.hasReady || (this.#queue.size > 0 && this.#mayLookAhead)
  }

  get #mayLookAhead(): boolean {
    return this.#lanes.waiting < this.#tasks.concurrency * LOOK_AHEAD
  }

  async #work(): Promise<void> {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      // There may be an event for one more task.
      this.wake()
      this.#active++
      const pending = this.#owner.handle(next.item.event, next.item.token)
      if (pending !== undefined) await pending
      this.#active--
      if (next.key !== undefined) this.#lanes.done(next.key)
      this.#owner.onFree()
    }
  }

  #next(): { readonly key?: string; readonly item: QueuedEvent } | undefined {
    if (!this.#owner.mayStart()) return undefined
    if (this.#orderBy !== undefined) {
      this.#fillLanes(this.#orderBy)
      const next = this.#lanes.next()
      this.#queue.relieve()
      return next
    }
    const item = this.#queue.take()
    this.#queue.relieve()
    return item && { item }
  }

  #fillLanes(orderBy: (event: Event) => string): void {
    while (this.#mayLookAhead) {
      const queued = this.#queue.take()
      if (queued === undefined) return
      try {
        this.#lanes.add(orderBy(queued.event), queued)
      } catch (error) {
        this.#owner.onBadKey(queued, error)
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
 * Gives out items so that no two of one key are out at once. Keeps only keys that have something waiting or out,
 * so it is as small as what it contains; the owner limits that.
 */
export class Lanes<T> {
  readonly #lanes = new Map<string, Lane<T>>()
  /** Lanes whose next event may be handled, longest waiting first. */
  readonly #ready = new Denque<Lane<T>>()
  #waiting = 0

  /** Items that were added and not yet given out. */
  get waiting(): number {
    return this.#waiting
  }

  /** Whether {@link next} would give an item. */
  get hasReady(): boolean {
    return this.#ready.length > 0
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
