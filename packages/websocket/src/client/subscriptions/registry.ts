/** The registry of subscriptions: delivers each event to the sinks whose patterns match, whatever connection is alive. */

import type { Event, Feed, Sink } from '@bus/core'
import { PatternIndex } from '@bus/core/kit'

/** One subscription as the transport sees it. */
export interface RegistryEntry {
  /** Each once. */
  readonly patterns: readonly string[]
  sink: Sink
  /** The feed of the current owner; calls of an earlier one have no effect. */
  feed?: Feed
  /** Its sink settles its events; otherwise an event is settled when it was delivered. */
  readonly settles: boolean
  /** Its subscriber accepts nothing less than at least once. */
  mustSettle: boolean
  /** The sink has no room. */
  isHeld: boolean
  /** Delivered while the sink had no room, and not settled by it: they count as delivered once it has room. */
  readonly unread: number[]
}

/** Where a sink's settled events go: to the session that gave them their tokens. */
export interface Settler {
  settle(token: number): void
}

/** Belongs to the transport, so subscriptions outlive connections. */
export class Registry {
  readonly #index = new PatternIndex<RegistryEntry>()
  readonly #entries = new Set<RegistryEntry>()
  /** How many entries have each pattern. */
  readonly #patterns = new Map<string, number>()
  #held = 0
  #settler: Settler | undefined
  readonly #onChange: (change: 'added' | 'removed', patterns: readonly string[]) => void

  /** @param onChange - called after an entry was added or removed */
  constructor(
    onChange: (change: 'added' | 'removed', patterns: readonly string[]) => void = () => {},
  ) {
    this.#onChange = onChange
  }

  /** How many sinks have no room. */
  get held(): number {
    return this.#held
  }

  get size(): number {
    return this.#entries.size
  }

  add(entry: RegistryEntry): void {
    this.#entries.add(entry)
    for (const pattern of entry.patterns) {
      this.#index.add(pattern, entry)
      this.#patterns.set(pattern, (this.#patterns.get(pattern) ?? 0) + 1)
    }
    this.#onChange('added', entry.patterns)
  }

  list(): readonly RegistryEntry[] {
    return [...this.#entries]
  }

  has(entry: RegistryEntry): boolean {
    return this.#entries.has(entry)
  }

  /** `false` when it was not there. */
  delete(entry: RegistryEntry): boolean {
    if (!this.#entries.delete(entry)) return false
    for (const pattern of entry.patterns) {
      this.#index.delete(pattern, entry)
      const others = (this.#patterns.get(pattern) ?? 0) - 1
      if (others > 0) this.#patterns.set(pattern, others)
      else this.#patterns.delete(pattern)
    }
    this.release(entry)
    this.#onChange('removed', entry.patterns)
    return true
  }

  /** The patterns of all entries, each once. */
  patterns(): string[] {
    return [...this.#patterns.keys()]
  }

  /** Whether an entry has this pattern. */
  hasPattern(pattern: string): boolean {
    return this.#patterns.has(pattern)
  }

  /** Events that sinks settle from now on are settled there. */
  settleWith(settler: Settler | undefined): void {
    this.#settler = settler
  }

  /** A sink has settled the event with this token. */
  settle(token: number): void {
    this.#settler?.settle(token)
  }

  /** Gives the event to every sink whose patterns match, each with a payload of its own. @returns how many will settle it */
  deliver(event: Event, token: number): number {
    const entries = this.#index.match(event.type)
    let settling = 0
    // From the last to the first: the first gets the payload that was parsed, so that a single subscription
    // pays for no copy, and every copy is made before that handler can change it.
    for (let i = entries.length - 1; i >= 0; i--) {
      const entry = entries[i]
      // A handler may have ended a later subscription.
      if (entry === undefined || !this.#entries.has(entry)) continue
      const own = i === 0 ? event : Object.freeze({ ...event, payload: copyPayload(event.payload) })
      if (!entry.sink.deliver(own, token)) this.#hold(entry)
      if (entry.settles) settling++
      else if (entry.isHeld) {
        entry.unread.push(token)
        settling++
      }
    }
    return settling
  }

  /** Whether an entry whose sink settles has this pattern. */
  isSettled(pattern: string): boolean {
    for (const entry of this.#entries) {
      if (entry.settles && entry.patterns.includes(pattern)) return true
    }
    return false
  }

  /** The sink has room again. */
  release(entry: RegistryEntry): void {
    if (!entry.isHeld) return
    entry.isHeld = false
    this.#held--
  }

  clear(): void {
    for (const entry of this.#entries) this.delete(entry)
  }

  #hold(entry: RegistryEntry): void {
    if (entry.isHeld || !this.#entries.has(entry)) return
    entry.isHeld = true
    this.#held++
  }
}

/** What a feed needs of the subscriptions that it belongs to. */
export interface FeedOwner {
  /** The sink of the entry has room again. */
  hasRoom(entry: RegistryEntry): void
  /** Ends the subscription. */
  remove(entry: RegistryEntry): Promise<void>
}

/** What a subscriber holds of its entry. */
export class ClientFeed implements Feed {
  readonly live: Promise<void>
  readonly #entry: RegistryEntry
  readonly #registry: Registry
  readonly #owner: FeedOwner

  constructor(live: Promise<void>, entry: RegistryEntry, registry: Registry, owner: FeedOwner) {
    this.live = live
    this.#entry = entry
    this.#registry = registry
    this.#owner = owner
    entry.feed = this
  }

  ready(): void {
    if (this.#entry.feed === this) this.#owner.hasRoom(this.#entry)
  }

  settle(token: number): void {
    if (this.#entry.settles) this.#registry.settle(token)
  }

  unsubscribe(): Promise<void> {
    return this.#entry.feed === this ? this.#owner.remove(this.#entry) : Promise.resolve()
  }
}

/** Copies JSON values itself, which is several times faster than `structuredClone`; other values are given to that. */
export function copyPayload(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copyPayload)
  // Cloning a view would clone the whole buffer that it was cut from.
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (Object.getPrototypeOf(value) !== Object.prototype) return structuredClone(value)
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const own = copyPayload((value as Record<string, unknown>)[key])
    // Plain assignment of this key would change the prototype instead of adding a member.
    if (key === '__proto__')
      Object.defineProperty(copy, key, {
        value: own,
        enumerable: true,
        configurable: true,
        writable: true,
      })
    else copy[key] = own
  }
  return copy
}
