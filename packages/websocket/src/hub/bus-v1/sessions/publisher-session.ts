/** A publisher session: which numbers were accepted, refused, or wait, so that no event is accepted twice and none is missed. */

import Denque from 'denque'
import type { RefusalCode, Window } from '../../../protocol/bus-v1/limits.ts'
import { UNNUMBERED } from '../../../protocol/bus-v1/lines.ts'

/** An event that waits for room. */
export interface PendingEvent {
  readonly n: number
  readonly type: string
  readonly verb: 'ev' | 'rv'
  /** The line from its type on. */
  readonly line: Buffer
}

/** A number that is used up without an event, and cannot be answered before those in front of it. */
export interface PendingRefusal {
  readonly n: number
  /** Why it was refused; `undefined`: the event came back to this hub. */
  readonly code: RefusalCode | undefined
  readonly line?: undefined
}

/** What waits, in the order of the wire. */
export type PendingPublish = PendingEvent | PendingRefusal

/** What waits in all sessions together. */
export interface PendingTotal {
  events: number
  /** See {@link costOf}. */
  bytes: number
}

/** Bytes that a waiting event costs besides its line: without them, millions of tiny ones would count for nothing. */
const PENDING_OVERHEAD_BYTES = 256

/** The bytes that something counts for while it waits. */
export function costOf({ line }: PendingPublish): number {
  return PENDING_OVERHEAD_BYTES + (line?.length ?? 0)
}

/**
 * Why an event is not taken: its number came before, leaves a hole, or is further ahead than the window of its publisher,
 * in numbers or in bytes.
 */
export type ReceiveFault = 'again' | 'hole' | 'window'

/**
 * Three numbers rise: `received` in the order of the wire, `accepted` once the event is in the log or refused, `confirmed`
 * once it may be acknowledged. A lost link takes back what was received and not accepted.
 */
export class PublisherSession {
  readonly #window: Window
  readonly #pending = new Denque<PendingPublish>()
  readonly #refused = new Map<number, RefusalCode>()
  /** Counts what waits in all sessions together. */
  #total: PendingTotal | undefined
  #pendingBytes = 0
  /** Events among those that wait that have no number. */
  #pendingUnnumbered = 0
  #received = 0
  #accepted = 0
  #confirmed = 0

  constructor(window: Window) {
    this.#window = window
  }

  get received(): number {
    return this.#received
  }

  get accepted(): number {
    return this.#accepted
  }

  /** Everything up to it may be acknowledged. */
  get confirmed(): number {
    return this.#confirmed
  }

  /** Events that wait for room. */
  get pending(): number {
    return this.#pending.length
  }

  /** Bytes that they count for. */
  get pendingCost(): number {
    return this.#pendingBytes + PENDING_OVERHEAD_BYTES * this.#pending.length
  }

  /** Notes that this number came. @param bytes - of its line; @returns why it is not taken */
  receive(n: number, bytes: number): ReceiveFault | undefined {
    if (n <= this.#received) return 'again'
    if (n !== this.#received + 1) return 'hole'
    if (n - this.#confirmed > this.#window.events) return 'window'
    // The publisher counts bytes in its own way. Beyond twice the window it must have ignored it.
    if (this.#pendingBytes + bytes > 2 * this.#window.bytes && this.#pending.length > 0)
      return 'window'
    this.#received = n
    return undefined
  }

  /** Whether one more event may wait for room. */
  canAddPending(bytes: number): boolean {
    return (
      this.#pending.length < this.#window.events &&
      (this.#pending.length === 0 || this.#pendingBytes + bytes <= this.#window.bytes)
    )
  }

  /** @param total - counts it as long as it waits */
  addPending(item: PendingPublish, total: PendingTotal): void {
    this.#total = total
    this.#pending.push(item)
    this.#pendingBytes += item.line?.length ?? 0
    if (item.n === UNNUMBERED) this.#pendingUnnumbered++
    total.events++
    total.bytes += costOf(item)
  }

  /** The next one that waits for room. */
  get nextPending(): PendingPublish | undefined {
    return this.#pending.peekFront()
  }

  removePending(): void {
    const item = this.#pending.shift()
    if (item === undefined) return
    this.#pendingBytes -= item.line?.length ?? 0
    if (item.n === UNNUMBERED) this.#pendingUnnumbered--
    this.#uncount(1, costOf(item))
  }

  /** The event is in the log, or was refused. Numbers come in order. @param isConfirmed - it may be acknowledged as well */
  accept(n: number, isConfirmed: boolean): void {
    this.#accepted = n
    if (isConfirmed && n > this.#confirmed) this.#confirmed = n
  }

  /** It may be acknowledged, and everything before it. */
  confirm(n: number): void {
    if (n > this.#confirmed) this.#confirmed = n
  }

  /** Remembers a refusal for as long as its answer may have been lost with the link. */
  refuse(n: number, code: RefusalCode): void {
    this.#refused.set(n, code)
    // A publisher has at most one window without an answer, so it knows about those before.
    for (const old of this.#refused.keys()) {
      if (old > this.#received - this.#window.events) break
      this.#refused.delete(old)
    }
  }

  /** The refusals that the publisher may not know of, up to {@link accepted}: it does not send these again. */
  refusals(): [n: number, code: RefusalCode][] {
    const oldest = this.#received - this.#window.events
    return [...this.#refused].filter(([n]) => n > oldest && n <= this.#accepted)
  }

  /**
   * The link is gone, and with it what was not accepted: its publisher sends it again.
   *
   * @returns how many events without a number are gone for good
   */
  unlink(): number {
    const lost = this.#pendingUnnumbered
    this.#uncount(this.#pending.length, this.pendingCost)
    this.#pending.clear()
    this.#pendingBytes = 0
    this.#pendingUnnumbered = 0
    this.#received = this.#accepted
    for (const n of this.#refused.keys()) if (n > this.#accepted) this.#refused.delete(n)
    return lost
  }

  #uncount(events: number, bytes: number): void {
    if (this.#total === undefined) return
    this.#total.events -= events
    this.#total.bytes -= bytes
  }
}
