/** A publisher session: which numbers were accepted, refused, or wait, so that none is relayed twice and none is missed. */
import type { RefusalCode } from '../../protocol/bus-v1/codes.ts'
import type { Window } from '../../protocol/bus-v1/limits.ts'
import { UNNUMBERED } from '../../protocol/bus-v1/publish-line.ts'
import { Fifo } from './fifo.ts'

/** An event, or the number of a refused one, that cannot go on before those in front of it. */
export interface Held {
  readonly n: number
  readonly type: string
  readonly verb: 'ev' | 'rv'
  /** The line from its type on; `undefined` for a number that was refused. */
  readonly line: Buffer | undefined
}

/** What a number says about its event. */
export type Place = 'next' | 'again' | 'hole'

/**
 * Numbers pass three marks: `received` in the order of the wire, `accepted` once the event is in the log or refused,
 * `confirmed` once the publisher may be told. A lost link takes back what was received and not accepted.
 */
export class PublisherSession {
  readonly #window: Window
  readonly #held = new Fifo<Held>()
  readonly #refused = new Map<number, RefusalCode>()
  #heldBytes = 0
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
  get held(): number {
    return this.#held.size
  }

  place(n: number): Place {
    if (n <= this.#received) return 'again'
    return n === this.#received + 1 ? 'next' : 'hole'
  }

  receive(n: number): void {
    this.#received = n
  }

  /** Whether one more event may wait for room. */
  canHold(bytes: number): boolean {
    return (
      this.#held.size < this.#window.events &&
      (this.#held.size === 0 || this.#heldBytes + bytes <= this.#window.bytes)
    )
  }

  /** Whether the publisher must have ignored its window, which counts bytes in its own way, to send this one. */
  isOverfull(bytes: number): boolean {
    return this.#held.size > 0 && this.#heldBytes + bytes > 2 * this.#window.bytes
  }

  hold(item: Held): void {
    this.#held.push(item)
    this.#heldBytes += item.line?.length ?? 0
  }

  /** The next one that waits for room. */
  peekHeld(): Held | undefined {
    return this.#held.peek()
  }

  unhold(): void {
    this.#heldBytes -= this.#held.shift()?.line?.length ?? 0
  }

  /** The event is in the log, or was refused. Numbers come in order. */
  accept(n: number): void {
    if (n !== UNNUMBERED) this.#accepted = n
  }

  /** The publisher may be told. */
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

  /** The refusals that the publisher may not know of, up to {@link confirmed}. */
  refusals(): [n: number, code: RefusalCode][] {
    const oldest = this.#received - this.#window.events
    return [...this.#refused].filter(([n]) => n > oldest && n <= this.#confirmed)
  }

  /** The link is gone, and with it what was not accepted: its publisher sends it again. */
  unlink(): void {
    this.#held.clear()
    this.#heldBytes = 0
    this.#received = this.#accepted
    for (const n of this.#refused.keys()) if (n > this.#accepted) this.#refused.delete(n)
  }
}
