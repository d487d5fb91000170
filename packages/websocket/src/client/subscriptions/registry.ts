/** The registry: which sinks want which events, whatever connection is alive. */

import { DecodeError, type Event, type Sink } from '@bus/core'
import { PatternIndex } from '@bus/core/kit'
import type { Frame, Protocol, ProtocolReceiver } from '../../protocol/protocol.ts'

/** One subscription as the transport sees it. */
export interface RegistryEntry {
  /** Each once. */
  readonly patterns: readonly string[]
  sink: Sink
  /** Whose calls count: the feed of the owner of now. */
  owner?: object
  /** Its sink settles what it gets; otherwise an event is settled when it was delivered. */
  readonly settles: boolean
  /** Nothing less than at least once will do. */
  mustSettle: boolean
  /** The sink asked to wait. */
  isHeld: boolean
  /** Delivered while the sink asked to wait, and not settled by it: they count as delivered once it has room. */
  readonly unread: number[]
}

/** Patterns → sinks. Belongs to the transport, so subscriptions outlive connections. */
export class Registry {
  readonly #index = new PatternIndex<RegistryEntry>()
  readonly #entries = new Set<RegistryEntry>()
  /** How many entries want each pattern. */
  readonly #wanted = new Map<string, number>()
  #held = 0
  readonly #onChange: (change: 'added' | 'removed', patterns: readonly string[]) => void

  /** @param onChange - told after each change of what is wanted */
  constructor(
    onChange: (change: 'added' | 'removed', patterns: readonly string[]) => void = () => {},
  ) {
    this.#onChange = onChange
  }

  /** How many sinks asked to wait. */
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
      this.#wanted.set(pattern, (this.#wanted.get(pattern) ?? 0) + 1)
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
      const others = (this.#wanted.get(pattern) ?? 0) - 1
      if (others > 0) this.#wanted.set(pattern, others)
      else this.#wanted.delete(pattern)
    }
    this.release(entry)
    this.#onChange('removed', entry.patterns)
    return true
  }

  /** Every pattern that some sink wants, each once. */
  patterns(): string[] {
    return [...this.#wanted.keys()]
  }

  /** Whether some sink wants this pattern. */
  wants(pattern: string): boolean {
    return this.#wanted.has(pattern)
  }

  /** Gives the event to every sink that wants it, each with a payload of its own; says how many of them will settle it. */
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

  /** Whether some sink that settles wants this pattern. */
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

export interface ReaderPorts {
  readonly protocol: Protocol
  readonly registry: Registry
  /** A frame that means nothing; the link stays up. */
  undecodable(error: Error, frame: Frame): void
  /** A subscription asked to wait. */
  held(): void
}

/** Never waits for the writer, never throws at the socket. */
export class Reader implements ProtocolReceiver {
  readonly #ports: ReaderPorts
  #received: number

  /** @param received - events that another reader has counted before */
  constructor(ports: ReaderPorts, received = 0) {
    this.#ports = ports
    this.#received = received
  }

  /** Events decoded since the start, wanted or not. */
  get received(): number {
    return this.#received
  }

  /** Counts an event that came another way. */
  count(): void {
    this.#received++
  }

  frame(frame: Frame): void {
    try {
      this.#ports.protocol.decode(frame, this)
    } catch (error) {
      const reason =
        error instanceof Error
          ? error
          : new DecodeError('The frame was not understood', { cause: error })
      // A copy: the frame is cut from a larger buffer, which a dead letter would keep alive.
      this.#ports.undecodable(reason, typeof frame === 'string' ? frame : new Uint8Array(frame))
    }
    if (this.#ports.registry.held > 0) this.#ports.held()
  }

  event(event: Event, token: number): void {
    this.#received++
    this.#ports.registry.deliver(event, token)
  }
}

/** Copies JSON values itself, which is several times faster than `structuredClone`, and leaves the rest to that. */
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
