/** The queue of a rate limiter: issues permits and takes tokens for the first that waits. */
import type { Clock, BusError } from '@bus/core'
import { setLongTimeout } from '@bus/core/kit'
import { Permit, type PermitSource } from './permit.ts'
import { SortedList } from './sorted-list.ts'
import type { TokenBucket } from './token-bucket.ts'

type Bucket = Pick<TokenBucket, 'tryAcquire' | 'delayMs' | 'refund' | 'intervalMs'>

/** Bounded by the limiter, which decides whether a permit is issued at all. */
export class PermitQueue implements PermitSource {
  readonly #bucket: Bucket
  readonly #clock: Clock
  /** Every permit waits for the end of an interval, also when there are tokens. */
  readonly #alwaysWaits: boolean
  readonly #waitingPermits = new SortedList<Permit>()
  /** What the permits cost that are neither paid nor cancelled. */
  #owed = 0
  /** How many these are. */
  #unpaid = 0
  #waiting = 0
  #issued = 0
  #stopTimer: (() => void) | undefined
  #closed: BusError | undefined

  constructor(bucket: Bucket, clock: Clock, alwaysWaits: boolean) {
    this.#bucket = bucket
    this.#clock = clock
    this.#alwaysWaits = alwaysWaits
  }

  /** Permits that were issued although there were no tokens, and are not paid. */
  get waiting(): number {
    return this.#waiting
  }

  get closed(): BusError | undefined {
    return this.#closed
  }

  /** Milliseconds until a permit of this cost would be paid that is issued now; nothing that is free waits. */
  expectedMs(cost: number): number {
    const delayMs = cost === 0 ? 0 : this.#bucket.delayMs(cost, this.#owed)
    return this.#alwaysWaits ? Math.max(delayMs, this.#bucket.intervalMs) : delayMs
  }

  issue(cost: number, priority: number): Permit {
    const expectedMs = this.expectedMs(cost)
    this.#owe(cost)
    if (expectedMs > 0) this.#waiting++
    return new Permit(this, { cost, priority, number: ++this.#issued, expectedMs })
  }

  join(permit: Permit, isRepeated: boolean): void {
    if (isRepeated) this.#owe(permit.cost)
    if (this.#closed !== undefined) this.#end(permit, this.#closed)
    else if (permit.cost === 0 && !this.#alwaysWaits) this.#give(permit)
    else {
      this.#waitingPermits.add(permit)
      if (!this.#alwaysWaits) this.#pay()
      this.#arm()
    }
  }

  yield(permit: Permit, isPaid: boolean): void {
    if (isPaid) {
      this.#owe(permit.cost)
      this.#waiting++
      permit.isQueued = true
      this.#bucket.refund(permit.cost)
    } else this.#waitingPermits.remove(permit)
    // The permit that goes first is about to be redeemed: the others get what is left after that.
    this.#arm()
  }

  leave(permit: Permit): void {
    this.#waitingPermits.remove(permit)
    this.#settled(permit)
    this.#pay()
    this.#arm()
  }

  refund(cost: number): void {
    this.#bucket.refund(cost)
    this.#pay()
    this.#arm()
  }

  /** Ends every permit that waits, and every one that would. Leaves no timer. */
  close(error: BusError): void {
    this.#closed ??= error
    for (const permit of this.#waitingPermits.clear()) this.#end(permit, this.#closed)
    this.#arm()
  }

  /** Takes tokens for the first that wait, as long as there are enough. */
  #pay(): void {
    const waiting = this.#waitingPermits
    for (let next = waiting.peek(); next !== undefined; next = waiting.peek()) {
      if (!this.#bucket.tryAcquire(next.cost)) return
      waiting.shift()
      this.#give(next)
    }
  }

  #give(permit: Permit): void {
    this.#settled(permit)
    permit.paid()
  }

  #end(permit: Permit, error: BusError): void {
    this.#settled(permit)
    permit.fail(error)
  }

  #owe(cost: number): void {
    this.#unpaid++
    this.#owed += cost
  }

  #settled(permit: Permit): void {
    this.#unpaid--
    // Sums of fractions drift; without an unpaid permit the sum is 0.
    this.#owed = this.#unpaid === 0 ? 0 : this.#owed - permit.cost
    if (permit.isQueued) this.#waiting--
    permit.isQueued = false
  }

  /** One timer for the first that waits; none when none waits, or for what never comes. */
  #arm(): void {
    const next = this.#waitingPermits.peek()
    // A permit that joins during an interval does not start another one.
    if (this.#alwaysWaits && next !== undefined && this.#stopTimer !== undefined) return
    this.#stopTimer?.()
    this.#stopTimer = undefined
    if (next === undefined) return
    const delayMs = this.#bucket.delayMs(next.cost)
    if (delayMs === Infinity) return
    const waitMs = this.#alwaysWaits ? Math.max(delayMs, this.#bucket.intervalMs) : delayMs
    this.#stopTimer = setLongTimeout(this.#clock, waitMs, () => {
      this.#stopTimer = undefined
      this.#pay()
      this.#arm()
    })
  }
}
