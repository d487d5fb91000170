/** Metering: how much each connection, and each principal over all its connections, may send in a second. */

import type { Clock } from '@bus/core'
import { TokenBalance } from '@bus/core/kit'

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

/** A connection that is metered. */
export interface Metered {
  /** It sent too much, and ends. @param waitMs - for how many milliseconds nothing more would be accepted */
  exceededLimit(waitMs: number, what: Excess): void
}

/** A full balance of what may be sent in a second, with a second's worth at once, and at least one. */
export function newBalance(perSecond: number, now: number): TokenBalance {
  return new TokenBalance(Math.max(1, perSecond), perSecond, 1_000, now)
}

/** What one connection, or one principal, may still send: a balance for each rate, `undefined` where there is no limit. */
class Allowance {
  readonly #messages: TokenBalance | undefined
  readonly #bytes: TokenBalance | undefined
  readonly #controlFrames: TokenBalance | undefined

  constructor(rates: Rates, now: number) {
    const limited = (perSecond: number): TokenBalance | undefined =>
      perSecond === Infinity ? undefined : newBalance(perSecond, now)
    this.#messages = limited(rates.messages)
    this.#bytes = limited(rates.bytes)
    this.#controlFrames = limited(rates.controlFrames)
  }

  takeMessage(bytes: number, now: number): boolean {
    return this.#messages?.take(now, 1) !== false && this.#bytes?.overdraw(now, bytes) !== false
  }

  takeControlFrame(now: number): boolean {
    return this.#controlFrames?.take(now, 1) !== false
  }

  waitMs(now: number): number {
    return Math.max(0, ...this.#limited.map((balance) => balance.delayMs(now, 1)))
  }

  isFull(now: number): boolean {
    return this.#limited.every((balance) => balance.tokens(now) >= balance.capacity)
  }

  get #limited(): readonly TokenBalance[] {
    const all = [this.#messages, this.#bytes, this.#controlFrames]
    return all.filter((balance) => balance !== undefined)
  }
}

export interface MeteringOptions {
  /** Of one connection. */
  readonly rate: Rates
  /** Of all connections of one principal. */
  readonly principalRate: Rates
  readonly clock: Clock
}

/** The rates of one hub, and what its principals may still send. */
export class Metering {
  readonly rate: Rates
  readonly clock: Clock
  /** Whether messages are counted at all, and control frames: most hubs set no rate for messages. */
  readonly counts: { readonly messages: boolean; readonly controlFrames: boolean }
  readonly #principalRate: Rates
  readonly #isPerPrincipal: boolean
  /** By principal. It outlives its connections, or each new one would bring a second's worth. */
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

  /** What a principal may still send; `undefined` where that is not limited. */
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

  /** Forgets the principals that sent nothing lately. */
  sweep(now: number): void {
    for (const [principal, allowance] of this.#principals) {
      if (allowance.isFull(now)) this.#principals.delete(principal)
    }
  }
}

/** Counts what one connection sends. */
export class Meter {
  /** Who sends, once that is known; `undefined` also for the anonymous. */
  principal: string | undefined
  /** Whether {@link message} needs to be called. */
  readonly countsMessages: boolean
  readonly #metering: Metering
  readonly #metered: Metered
  /** Made with what is counted first, as full as it would be by then. */
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
