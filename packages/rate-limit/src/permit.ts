/** The permit of a rate limit: the right to do one thing, paid for with tokens. */
import type { BusError } from '@bus/core'

/** What the permits of one limiter are taken from. */
export interface PermitSource {
  /** The permit waits for its tokens from now on, or gets them at once; `isRepeated`: it was used before. */
  join(permit: Permit, isRepeated: boolean): void
  /** The permit no longer waits. */
  leave(permit: Permit): void
  /** The permit lets others go first; `isPaid`: its tokens are returned. It may join again. */
  yield(permit: Permit, isPaid: boolean): void
  /** Returns tokens that were taken and are not needed. */
  refund(cost: number): void
}

/** What is known of a permit when it is issued. */
export interface PermitTerms {
  /** Tokens. */
  readonly cost: number
  readonly priority: number
  /** Its position among all permits of the limiter. */
  readonly number: number
  /** Milliseconds after which it could be expected to be paid when it was issued; 0: at once. */
  readonly expectedMs: number
}

/** The right to do one thing when its tokens are there. It can be used again: what is done twice is paid for twice. */
export class Permit implements PermitTerms {
  readonly cost: number
  readonly priority: number
  readonly number: number
  readonly expectedMs: number
  /** Issued although there were no tokens for it, and still unpaid. Set by the source. */
  isQueued: boolean
  #state: 'open' | 'waiting' | 'paid' | 'over' = 'open'
  readonly #source: PermitSource
  #ready: (() => void) | undefined
  #failed: ((error: BusError) => void) | undefined

  constructor(source: PermitSource, { cost, priority, number, expectedMs }: PermitTerms) {
    this.#source = source
    this.cost = cost
    this.priority = priority
    this.number = number
    this.expectedMs = expectedMs
    this.isQueued = expectedMs > 0
  }

  /**
   * Requests the tokens; may be called again. `true`: they were taken, and it may be done now.
   *
   * @param ready - called once when they are taken, if they are not yet
   * @param failed - called instead when the limiter is closed before that
   */
  redeem(ready: () => void, failed?: (error: BusError) => void): boolean {
    if (this.#state === 'open' || this.#state === 'over') {
      const isRepeated = this.#state === 'over'
      this.#state = 'waiting'
      if (isRepeated) this.isQueued = false
      this.#source.join(this, isRepeated)
    }
    if (this.#isPaid()) return true
    this.#ready = ready
    this.#failed = failed
    return false
  }

  /** Something else goes first: tokens that were not spent are returned, and it is redeemed again later. */
  yield(): void {
    const state = this.#state
    if (state !== 'waiting' && state !== 'paid') return
    this.#state = 'open'
    this.#forget()
    this.#source.yield(this, state === 'paid')
  }

  /** It is done: the tokens are gone. */
  spend(): void {
    if (this.#state === 'paid') this.#state = 'over'
  }

  /** It will not be done, or is done already. Tokens that were not spent are returned. */
  cancel(): void {
    const state = this.#state
    if (state === 'over') return
    if (state === 'paid') {
      this.#state = 'over'
      this.#source.refund(this.cost)
      return
    }
    this.#source.leave(this)
    this.#end()
  }

  /** For the source: its tokens were taken. */
  paid(): void {
    this.#state = 'paid'
    const ready = this.#ready
    this.#forget()
    ready?.()
  }

  /** For the source: the limiter is closed. */
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
