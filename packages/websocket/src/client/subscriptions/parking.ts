/** The parking: subscriptions whose owner has gone and whose new owner has not come yet. Their events wait here. */
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

export interface ParkingPorts {
  readonly clock: Clock
  /** A sink that was full has room. */
  released(entry: RegistryEntry): void
  /** Nobody claimed it. */
  ended(entry: RegistryEntry): void
  /** The event counts as dealt with. */
  settle(token: number): void
  undeliverable(notice: Undeliverable): void
}

/** Keeps what it gets, and asks for no more: the flow control of the link bounds it. */
class ParkedSink implements Sink {
  readonly kept: { readonly event: Event; readonly token: number }[] = []

  deliver(event: Event, token: number): boolean {
    this.kept.push({ event, token })
    return false
  }
}

/** Belongs to the subscriptions of one transport. */
export class Parking {
  readonly #ports: ParkingPorts
  readonly #parked = new Map<RegistryEntry, ParkedSink>()
  #stop: (() => void) | undefined

  constructor(ports: ParkingPorts) {
    this.#ports = ports
  }

  /** What is parked, in the order in which it was subscribed. */
  list(): readonly RegistryEntry[] {
    return [...this.#parked.keys()]
  }

  /** The sink of this entry gets nothing any more. */
  park(entry: RegistryEntry): void {
    const sink = new ParkedSink()
    entry.sink = sink
    delete entry.feed
    this.#parked.set(entry, sink)
  }

  /** Finds what was parked for these patterns; it is then parked no more. */
  claim(patterns: readonly string[], settles: boolean): RegistryEntry | undefined {
    if (this.#parked.size === 0) return undefined
    const key = keyOf(patterns)
    return this.list().find((entry) => entry.settles === settles && keyOf(entry.patterns) === key)
  }

  /** Gives everything that was kept for this entry, and all that comes, to its new sink: right after this call. */
  deliver(entry: RegistryEntry, sink: Sink): void {
    const parked = this.#parked.get(entry)
    this.#parked.delete(entry)
    queueMicrotask(() => {
      entry.sink = sink
      let hasRoom = true
      for (const { event, token } of parked?.kept ?? []) hasRoom = sink.deliver(event, token)
      if (hasRoom) this.#ports.released(entry)
    })
  }

  /** What nobody has claimed by then ends. */
  expire(ms: number): void {
    this.#stop?.()
    this.#stop = setLongTimeout(this.#ports.clock, ms, () => {
      for (const [entry, { kept }] of this.#parked) this.#end(entry, kept)
      this.#parked.clear()
    })
  }

  /** Leaves no timer. */
  close(): void {
    this.#stop?.()
    for (const [entry, { kept }] of this.#parked) this.#giveUp(entry, kept)
    this.#parked.clear()
  }

  #end(entry: RegistryEntry, kept: ParkedSink['kept']): void {
    this.#giveUp(entry, kept)
    this.#ports.ended(entry)
  }

  #giveUp({ patterns, settles }: RegistryEntry, kept: ParkedSink['kept']): void {
    const error = new ClosedError(`Nobody took over the subscription to ${patterns.join(', ')}`)
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
