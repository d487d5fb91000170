/** The metering: what each connection, and each principal over all its connections, may send in a second. */

import type { Clock } from '@bus/core'
import type { Duplex } from 'node:stream'

/** How much may be sent in a second, with a second's worth at once. */
export interface Rates {
  /** Messages of WebSocket. */
  readonly messages: number
  /** Bytes of them. */
  readonly bytes: number
  /** Pings and pongs. */
  readonly controlFrames: number
}

/** What was too much: messages or bytes of them, or pings and pongs. */
export type Excess = 'rate' | 'control frames'

/** Whose connection is metered. */
export interface Metered {
  /** It sent too much, and ends. @param waitMs - for how many milliseconds nothing more would be taken */
  exceededLimit(waitMs: number, what: Excess): void
}

/** One bucket for each. */
class Allowance {
  readonly #messages: Rate
  readonly #bytes: Rate
  readonly #controlFrames: Rate

  constructor({ messages, bytes, controlFrames }: Rates, now: number) {
    this.#messages = new Rate(messages, now)
    this.#bytes = new Rate(bytes, now)
    this.#controlFrames = new Rate(controlFrames, now)
  }

  takeMessage(bytes: number, now: number): boolean {
    return this.#messages.take(now) && this.#bytes.take(now, bytes)
  }

  takeControlFrame(now: number): boolean {
    return this.#controlFrames.take(now)
  }

  waitMs(now: number): number {
    return Math.max(...this.#all.map((rate) => rate.waitMs(now)))
  }

  isFull(now: number): boolean {
    return this.#all.every((rate) => rate.isFull(now))
  }

  get #all(): readonly Rate[] {
    return [this.#messages, this.#bytes, this.#controlFrames]
  }
}

export interface MeteringOptions {
  /** Of one connection. */
  readonly rate: Rates
  /** Of all connections of one principal. */
  readonly principalRate: Rates
  readonly clock: Clock
}

/** One per hub. */
export class Metering {
  readonly rate: Rates
  readonly clock: Clock
  /** Whether messages are counted at all, and control frames: most hubs set no rate for messages. */
  readonly counts: { readonly messages: boolean; readonly controlFrames: boolean }
  readonly #principalRate: Rates
  readonly #isPerPrincipal: boolean
  /** By principal. Outlives its connections, or each new one would bring a second's worth. */
  readonly #principals = new Map<string, Allowance>()
  #floods = 0

  constructor({ rate, principalRate, clock }: MeteringOptions) {
    this.rate = rate
    this.clock = clock
    this.#principalRate = principalRate
    const isFinite = (name: keyof Rates): boolean =>
      rate[name] !== Infinity || principalRate[name] !== Infinity
    this.counts = {
      messages: isFinite('messages') || isFinite('bytes'),
      controlFrames: isFinite('controlFrames'),
    }
    this.#isPerPrincipal = Object.values(principalRate).some((perSecond) => perSecond !== Infinity)
  }

  /** Connections that were ended because they sent too much. */
  get floods(): number {
    return this.#floods
  }

  /** What is left to a principal; `undefined` where that is not limited. */
  allowanceOf(principal: string | undefined, now: number): Allowance | undefined {
    if (!this.#isPerPrincipal || principal === undefined) return undefined
    let allowance = this.#principals.get(principal)
    if (allowance === undefined) {
      allowance = new Allowance(this.#principalRate, now)
      this.#principals.set(principal, allowance)
    }
    return allowance
  }

  newAllowance(now: number): Allowance {
    return new Allowance(this.rate, now)
  }

  exceeded(): void {
    this.#floods++
  }

  /** Forgets those who used nothing lately. */
  sweep(now: number): void {
    for (const [principal, allowance] of this.#principals) {
      if (allowance.isFull(now)) this.#principals.delete(principal)
    }
  }
}

/** One per connection. */
export class Meter {
  /** Who sends, once that is known; `undefined` also for those without a name of their own. */
  principal: string | undefined
  /** Whether {@link message} needs to be called. */
  readonly countsMessages: boolean
  readonly #metering: Metering
  readonly #metered: Metered
  /** Begun with what is counted first, as full as it was all the time before. */
  #own: Allowance | undefined

  constructor(metering: Metering, metered: Metered) {
    this.#metering = metering
    this.#metered = metered
    this.countsMessages = metering.counts.messages
  }

  /** A message came, where messages are counted. `false`: it was one too many. */
  message(bytes: number): boolean {
    const metering = this.#metering
    const now = metering.clock.now()
    this.#own ??= metering.newAllowance(now)
    if (!this.#own.takeMessage(bytes, now)) return this.#refuse(this.#own, 'rate', now)
    const shared = metering.allowanceOf(this.principal, now)
    return (
      shared === undefined || shared.takeMessage(bytes, now) || this.#refuse(shared, 'rate', now)
    )
  }

  /** A ping or a pong came. */
  controlFrame(): void {
    const metering = this.#metering
    if (!metering.counts.controlFrames) return
    const now = metering.clock.now()
    this.#own ??= metering.newAllowance(now)
    const shared = metering.allowanceOf(this.principal, now)
    if (!this.#own.takeControlFrame(now)) this.#refuse(this.#own, 'control frames', now)
    else if (shared?.takeControlFrame(now) === false) this.#refuse(shared, 'control frames', now)
  }

  #refuse(allowance: Allowance, what: Excess, now: number): false {
    this.#metering.exceeded()
    this.#metered.exceededLimit(allowance.waitMs(now), what)
    return false
  }
}

/** A bucket that fills steadily. */
export class Rate {
  readonly #perSecond: number
  #tokens: number
  #at: number

  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond
    this.#tokens = this.#capacity
    this.#at = now
  }

  /** Takes one, or as many; `false` when there is none. What is more than there is has to be made up for first. */
  take(now: number, count = 1): boolean {
    if (this.#perSecond === Infinity) return true
    this.#fill(now)
    if (this.#tokens < 1) return false
    this.#tokens -= count
    return true
  }

  /** Milliseconds until there is one. */
  waitMs(now: number): number {
    if (this.#perSecond === Infinity) return 0
    this.#fill(now)
    return Math.max(0, Math.ceil(((1 - this.#tokens) / this.#perSecond) * 1_000))
  }

  /** Whether nothing was used for so long that all of it is there again. */
  isFull(now: number): boolean {
    if (this.#perSecond === Infinity) return true
    this.#fill(now)
    return this.#tokens >= this.#capacity
  }

  get #capacity(): number {
    return Math.max(1, this.#perSecond)
  }

  #fill(now: number): void {
    const gained = ((now - this.#at) / 1_000) * this.#perSecond
    this.#tokens = Math.min(this.#capacity, this.#tokens + gained)
    this.#at = now
  }
}

interface Source {
  connections: number
  /** One function for all connections of it: each connection costs no more than a place in its listeners. */
  readonly left: () => void
}

/** Knows an address, or a principal, as long as it has a connection. */
export class ConnectionLimiter {
  readonly #max: number
  readonly #sources = new Map<string, Source>()
  #refused = 0

  /** @param max - connections of one */
  constructor(max: number) {
    this.#max = max
  }

  /** Connections that were one too many. */
  get refused(): number {
    return this.#refused
  }

  /** Those that have a connection. */
  get size(): number {
    return this.#sources.size
  }

  /**
   * Counts a connection until its socket closes. `false`: there are as many of it as there may be.
   *
   * @param name - `undefined`: it has none, as a socket within the machine has no address, and is not counted
   * @param isSuccessor - it takes over from another one, which is about to close: there is a place in any case
   */
  reserve(tcp: Duplex, name: string | undefined, isSuccessor = false): boolean {
    if (name === undefined || tcp.destroyed) return true
    const source = this.#sources.get(name) ?? this.#begin(name)
    if (source.connections >= this.#max && !isSuccessor) {
      this.#refused++
      return false
    }
    source.connections++
    tcp.on('close', source.left)
    return true
  }

  #begin(name: string): Source {
    const source: Source = {
      connections: 0,
      left: () => {
        source.connections--
        if (source.connections === 0) this.#sources.delete(name)
      },
    }
    this.#sources.set(name, source)
    return source
  }
}
