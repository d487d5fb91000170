/** Subscriptions of a detached owner that no new owner has claimed yet, with a buffer for the events of each. */
import {
  ClosedError,
  type Clock,
  type Delivery,
  type Event,
  type Sink,
  type Undeliverable,
} from '@bus/core'
import { setLongTimeout } from '@bus/core/kit'
import type { RegistryEntry } from './registry.ts'

/** One subscription of the owner that has gone. */
export interface DetachedSubscription {
  readonly patterns: readonly string[]
  /** How it was delivered. */
  readonly delivery: Delivery
}

export interface DetachedSubscriptionsPorts {
  readonly clock: Clock
  /** A sink that was full has room. */
  released(entry: RegistryEntry): void
  /** It was not claimed in time. */
  ended(entry: RegistryEntry): void
  /** The event counts as handled. */
  settle(token: number): void
  undeliverable(notice: Undeliverable): void
}

/** Buffers what it gets and says that it is full: the flow control of the link bounds it. */
class BufferingSink implements Sink {
  readonly kept: { readonly event: Event; readonly token: number }[] = []

  deliver(event: Event, token: number): boolean {
    this.kept.push({ event, token })
    return false
  }
}

/** Belongs to the subscriptions of one transport. */
export class DetachedSubscriptions {
  readonly #ports: DetachedSubscriptionsPorts
  readonly #sinks = new Map<RegistryEntry, BufferingSink>()
  #stop: (() => void) | undefined

  constructor(ports: DetachedSubscriptionsPorts) {
    this.#ports = ports
  }

  /** In the order in which they were subscribed. */
  list(): readonly RegistryEntry[] {
    return [...this.#sinks.keys()]
  }

  /** The sink of this entry gets nothing any more. */
  add(entry: RegistryEntry): void {
    const sink = new BufferingSink()
    entry.sink = sink
    delete entry.feed
    this.#sinks.set(entry, sink)
  }

  /** Finds the subscription to these patterns, which {@link deliver} then gives to its new sink. */
  claim(patterns: readonly string[], settles: boolean): RegistryEntry | undefined {
    if (this.#sinks.size === 0) return undefined
    const key = keyOf(patterns)
    return this.list().find((entry) => entry.settles === settles && keyOf(entry.patterns) === key)
  }

  /** Gives what was buffered for this entry, and all that comes, to its new sink: right after this call. */
  deliver(entry: RegistryEntry, sink: Sink): void {
    const buffering = this.#sinks.get(entry)
    this.#sinks.delete(entry)
    queueMicrotask(() => {
      entry.sink = sink
      let hasRoom = true
      for (const { event, token } of buffering?.kept ?? []) hasRoom = sink.deliver(event, token)
      if (hasRoom) this.#ports.released(entry)
    })
  }

  /** What is not claimed by then ends. */
  expire(ms: number): void {
    this.#stop?.()
    this.#stop = setLongTimeout(this.#ports.clock, ms, () => {
      for (const [entry, { kept }] of this.#sinks) this.#end(entry, kept)
      this.#sinks.clear()
    })
  }

  /** Leaves no timer. */
  close(): void {
    this.#stop?.()
    for (const [entry, { kept }] of this.#sinks) this.#giveUp(entry, kept)
    this.#sinks.clear()
  }

  #end(entry: RegistryEntry, kept: BufferingSink['kept']): void {
    this.#giveUp(entry, kept)
    this.#ports.ended(entry)
  }

  #giveUp({ patterns, settles }: RegistryEntry, kept: BufferingSink['kept']): void {
    const error = new ClosedError(`No new owner claimed the subscription to ${patterns.join(', ')}`)
    for (const { event, token } of kept.splice(0)) {
      const how = { reason: 'closed', direction: 'inbound', attempts: 0 } as const
      this.#ports.undeliverable({ ...how, error, event })
      if (settles) this.#ports.settle(token)
    }
  }
}

function keyOf(patterns: readonly string[]): string {
  return patterns.toSorted().join(' ')
}
