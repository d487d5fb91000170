/** The desk of a rate limit: issues tickets, keeps the line, and takes tokens for the first in it. */
import type { Clock, BusError } from '@bus/core'
import { after } from '@bus/core/kit'
import { RateQueue } from './rate-queue.ts'
import { RateTicket, type TicketDesk } from './rate-ticket.ts'
import type { TokenBucket } from './token-bucket.ts'

/** What the desk needs of the bucket. */
type DeskBucket = Pick<TokenBucket, 'tryAcquire' | 'delayMs' | 'refund' | 'intervalMs'>

/** Keeps the books. Who may have a ticket is decided elsewhere. */
export class RateDesk implements TicketDesk {
  readonly #bucket: DeskBucket
  readonly #clock: Clock
  /** Everybody waits for the end of an interval, also when there are tokens. */
  readonly #isPatient: boolean
  readonly #line = new RateQueue<RateTicket>()
  /** What the tickets cost that are neither paid nor given up. */
  #owed = 0
  /** How many these are. */
  #unpaid = 0
  #waiting = 0
  #issued = 0
  #stopTimer: (() => void) | undefined
  #closed: BusError | undefined

  constructor(bucket: DeskBucket, clock: Clock, isPatient: boolean) {
    this.#bucket = bucket
    this.#clock = clock
    this.#isPatient = isPatient
  }

  /** Tickets that were issued although there were no tokens, and are not paid. */
  get waiting(): number {
    return this.#waiting
  }

  get closed(): BusError | undefined {
    return this.#closed
  }

  /** Milliseconds until a ticket of this cost would be paid that is issued now; nothing that is free waits. */
  expectedMs(cost: number): number {
    const delayMs = cost === 0 ? 0 : this.#bucket.delayMs(cost, this.#owed)
    return this.#isPatient ? Math.max(delayMs, this.#bucket.intervalMs) : delayMs
  }

  issue(cost: number, priority: number): RateTicket {
    const expectedMs = this.expectedMs(cost)
    const isQueued = expectedMs > 0
    this.#owe(cost)
    if (isQueued) this.#waiting++
    const number = ++this.#issued
    return new RateTicket(this, { cost, priority, number, expectedMs, isQueued })
  }

  join(ticket: RateTicket, isAgain: boolean): void {
    if (isAgain) this.#owe(ticket.cost)
    if (this.#closed !== undefined) this.#end(ticket, this.#closed)
    else if (ticket.cost === 0 && !this.#isPatient) this.#give(ticket)
    else {
      this.#line.add(ticket)
      if (!this.#isPatient) this.#pay()
      this.#arm()
    }
  }

  yield(ticket: RateTicket, isPaid: boolean): void {
    if (isPaid) {
      this.#owe(ticket.cost)
      this.#waiting++
      ticket.isQueued = true
      this.#bucket.refund(ticket.cost)
    } else this.#line.remove(ticket)
    // Whoever it lets go first is about to ask: the line gets what is left after that.
    this.#arm()
  }

  leave(ticket: RateTicket): void {
    this.#line.remove(ticket)
    this.#settled(ticket)
    this.#pay()
    this.#arm()
  }

  refund(cost: number): void {
    this.#bucket.refund(cost)
    this.#pay()
    this.#arm()
  }

  /** Ends every ticket that waits, and every one that would. Leaves no timer. */
  close(error: BusError): void {
    this.#closed ??= error
    for (const ticket of this.#line.clear()) this.#end(ticket, this.#closed)
    this.#arm()
  }

  /** Takes tokens for the first in the line, as long as there are enough. */
  #pay(): void {
    for (let next = this.#line.peek(); next !== undefined; next = this.#line.peek()) {
      if (!this.#bucket.tryAcquire(next.cost)) return
      this.#line.shift()
      this.#give(next)
    }
  }

  #give(ticket: RateTicket): void {
    this.#settled(ticket)
    ticket.paid()
  }

  #end(ticket: RateTicket, error: BusError): void {
    this.#settled(ticket)
    ticket.fail(error)
  }

  #owe(cost: number): void {
    this.#unpaid++
    this.#owed += cost
  }

  #settled(ticket: RateTicket): void {
    this.#unpaid--
    // Sums of fractions drift; what nobody owes is nothing.
    this.#owed = this.#unpaid === 0 ? 0 : this.#owed - ticket.cost
    if (ticket.isQueued) this.#waiting--
    ticket.isQueued = false
  }

  /** One timer for the first in the line; none when nobody waits, or for what never comes. */
  #arm(): void {
    const next = this.#line.peek()
    // Who joins while an interval is waited for does not begin another one.
    if (this.#isPatient && next !== undefined && this.#stopTimer !== undefined) return
    this.#stopTimer?.()
    this.#stopTimer = undefined
    if (next === undefined) return
    const delayMs = this.#bucket.delayMs(next.cost)
    if (delayMs === Infinity) return
    const waitMs = this.#isPatient ? Math.max(delayMs, this.#bucket.intervalMs) : delayMs
    this.#stopTimer = after(this.#clock, waitMs, () => {
      this.#stopTimer = undefined
      this.#pay()
      this.#arm()
    })
  }
}
