/** A rate limit's ticket: the permission to do one thing, paid for with tokens. */
import type { BusError } from '@bus/core'

/** Who issues tickets and takes them back. */
export interface TicketDesk {
  /** The ticket waits for its tokens from now on, or has them at once; `isAgain`: it was over before. */
  join(ticket: RateTicket, isAgain: boolean): void
  /** The ticket waits no more. */
  leave(ticket: RateTicket): void
  /** The ticket lets others go first; `isPaid`: its tokens go back. It may join again. */
  yield(ticket: RateTicket, isPaid: boolean): void
  /** Tokens that were taken are not needed. */
  refund(cost: number): void
}

/** Of one item. It can be used again: what is done twice is paid for twice. */
export class RateTicket {
  /** Tokens. */
  readonly cost: number
  readonly priority: number
  /** Its place among all tickets of the limit. */
  readonly number: number
  /** Milliseconds after which it could be expected to be paid when it was issued; 0: at once. */
  readonly expectedMs: number
  /** Issued although there were no tokens for it: it counts among those that wait. */
  isQueued: boolean
  #state: 'open' | 'waiting' | 'paid' | 'over' = 'open'
  readonly #desk: TicketDesk
  #ready: (() => void) | undefined
  #failed: ((error: BusError) => void) | undefined

  constructor(
    desk: TicketDesk,
    how: {
      readonly cost: number
      readonly priority: number
      readonly number: number
      readonly expectedMs: number
      readonly isQueued: boolean
    },
  ) {
    this.#desk = desk
    this.cost = how.cost
    this.priority = how.priority
    this.number = how.number
    this.expectedMs = how.expectedMs
    this.isQueued = how.isQueued
  }

  /**
   * Asks for the tokens; what may be asked again. `true`: they were taken, it may be done now.
   *
   * @param ready - called once when they are, if they are not yet
   * @param failed - called instead when the limit is closed before that
   */
  redeem(ready: () => void, failed?: (error: BusError) => void): boolean {
    if (this.#state === 'open' || this.#state === 'over') {
      const isAgain = this.#state === 'over'
      this.#state = 'waiting'
      if (isAgain) this.isQueued = false
      this.#desk.join(this, isAgain)
    }
    if (this.#isPaid()) return true
    this.#ready = ready
    this.#failed = failed
    return false
  }

  /** Something else goes first: tokens that were not spent go back, and it is redeemed again later. */
  yield(): void {
    const state = this.#state
    if (state !== 'waiting' && state !== 'paid') return
    this.#state = 'open'
    this.#forget()
    this.#desk.yield(this, state === 'paid')
  }

  /** It is done: the tokens are gone. */
  spend(): void {
    if (this.#state === 'paid') this.#state = 'over'
  }

  /** It will not be done, or is done already. Tokens that were not spent go back. */
  cancel(): void {
    const state = this.#state
    if (state === 'over') return
    if (state === 'paid') {
      this.#state = 'over'
      this.#desk.refund(this.cost)
      return
    }
    this.#desk.leave(this)
    this.#end()
  }

  /** The desk has taken its tokens. */
  paid(): void {
    this.#state = 'paid'
    const ready = this.#ready
    this.#forget()
    ready?.()
  }

  /** The desk is closed. */
  fail(error: BusError): void {
    const failed = this.#failed
    this.#end()
    failed?.(error)
  }

  #isPaid(): boolean {
    return this.#state === 'paid'
  }

  #end(): void {
    this.#state = 'over'
    this.#forget()
  }

  #forget(): void {
    this.#ready = undefined
    this.#failed = undefined
  }
}
