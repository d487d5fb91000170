/** The cursor: up to where everything that was received is settled. */
import Denque from 'denque'

interface Delivery {
  readonly token: number
  readonly offset: number
  /** Sinks that have not settled it yet. */
  left: number
}

/**
 * Offsets rise, but what is received has holes where events of others lie; so the cursor follows the order of receipt.
 * A handler that settles at once costs no entry. Tokens are unique for life, so that a settlement that comes after the
 * log was replaced by another one means nothing.
 */
export class Cursor {
  readonly #waiting = new Denque<Delivery>()
  readonly #byToken = new Map<number, Delivery>()
  #position = 0
  #seen = 0
  #token = 0
  #isDelivering = false
  #settledMeanwhile = 0
  #settled = 0

  /** Everything up to this offset is settled. */
  get position(): number {
    return this.#position
  }

  /** The last offset received, or passed by a mark. */
  get seen(): number {
    return this.#seen
  }

  /** Events settled since {@link takeSettled}. */
  get settled(): number {
    return this.#settled
  }

  /** Events received and not settled. */
  get outstanding(): number {
    return this.#waiting.length
  }

  /**
   * Starts over at this offset: another log, or the first. What a handler still has of the log before holds the position
   * back: its publisher sends it again to the new log, and must not hear that it was settled before it is.
   */
  reset(offset: number): void {
    const unsettled = this.#waiting.toArray().filter(({ left }) => left > 0)
    this.#waiting.clear()
    this.#byToken.clear()
    for (const { token, left } of unsettled) this.#wait({ token, offset, left })
    this.#position = offset
    this.#seen = offset
    this.#settled = 0
  }

  /** Whether the offset was received before. */
  hasSeen(offset: number): boolean {
    return offset <= this.#seen
  }

  /** An event comes; gives the token that its sinks settle. */
  begin(): number {
    this.#isDelivering = true
    this.#settledMeanwhile = 0
    return ++this.#token
  }

  /** It was given to so many sinks that settle. */
  end(offset: number, sinks: number): void {
    this.#isDelivering = false
    this.#seen = offset
    const left = sinks - this.#settledMeanwhile
    if (left <= 0 && this.#waiting.length === 0) {
      this.#position = offset
      this.#settled++
      return
    }
    this.#wait({ token: this.#token, offset, left })
  }

  settle(token: number): void {
    if (this.#isDelivering && token === this.#token) {
      this.#settledMeanwhile++
      return
    }
    const delivery = this.#byToken.get(token)
    if (delivery === undefined) return
    delivery.left--
    if (delivery.left > 0) return
    this.#byToken.delete(token)
    this.#advance()
  }

  /** Everything that was wanted up to this offset has been received. */
  mark(offset: number): void {
    if (offset <= this.#seen) return
    this.#seen = offset
    if (this.#waiting.length === 0) this.#position = offset
  }

  /** How many were settled since the last call. */
  takeSettled(): number {
    const settled = this.#settled
    this.#settled = 0
    return settled
  }

  #wait(delivery: Delivery): void {
    this.#waiting.push(delivery)
    if (delivery.left > 0) this.#byToken.set(delivery.token, delivery)
  }

  #advance(): void {
    let first = this.#waiting.peekFront()
    while (first !== undefined && first.left <= 0) {
      this.#waiting.shift()
      this.#position = first.offset
      this.#settled++
      first = this.#waiting.peekFront()
    }
    if (first === undefined) this.#position = this.#seen
  }
}
