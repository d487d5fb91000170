/** A bounded queue on plain arrays: the oracle of the queue's property tests. */
import type { BackpressureStrategy } from '@bus/core'

/** What the queue holds in these tests. */
export interface Item {
  readonly id: number
  readonly bytes: number
}

/** What a queue should be, written for the eye and not for speed: it decides every step on plain arrays. */
export class QueueModel {
  reserved: Item[] = []
  unreserved: Item[] = []
  line: Item[] = []
  closed = false
  readonly received: number[] = []
  readonly delivered: number[] = []
  readonly dropped: number[] = []
  readonly rejected: number[] = []
  /** How each push ended. */
  readonly ends = new Map<number, string>()
  readonly capacity: number
  readonly maxBytes: number
  readonly strategy: BackpressureStrategy

  constructor(capacity: number, maxBytes: number, strategy: BackpressureStrategy) {
    this.capacity = capacity
    this.maxBytes = maxBytes
    this.strategy = strategy
  }

  get items(): Item[] {
    return [...this.reserved, ...this.unreserved]
  }

  fits(item: Item, among: readonly Item[] = this.items): boolean {
    const bytes = among.reduce((sum, other) => sum + other.bytes, 0)
    return among.length < this.capacity && bytes + item.bytes <= this.maxBytes
  }

  offer(item: Item): string {
    const answer = this.#decide(item)
    if (answer !== 'full') this.received.push(item.id)
    if (['closed', 'too-large', 'rejected'].includes(answer)) this.rejected.push(item.id)
    if (answer === 'dropped') this.dropped.push(item.id)
    return answer
  }

  #decide(item: Item): string {
    if (this.closed) return 'closed'
    if (item.bytes > this.maxBytes) return 'too-large'
    if (this.line.length === 0 && this.fits(item)) {
      this.unreserved.push(item)
      return 'accepted'
    }
    if (this.strategy === 'block') return 'full'
    if (this.strategy === 'reject') return 'rejected'
    if (this.strategy === 'drop-newest' || !this.fits(item, this.reserved)) return 'dropped'
    while (!this.fits(item)) this.dropped.push(...this.unreserved.splice(0, 1).map((i) => i.id))
    this.unreserved.push(item)
    return 'accepted'
  }

  push(item: Item): void {
    const answer = this.offer(item)
    if (answer === 'full') this.line.push(item)
    else this.ends.set(item.id, answer)
  }

  take(): Item | undefined {
    return this.#leave(this.unreserved)
  }

  commit(): Item | undefined {
    return this.#leave(this.reserved)
  }

  reserve(): Item | undefined {
    const item = this.unreserved.shift()
    if (item !== undefined) this.reserved.push(item)
    return item
  }

  putBack(): void {
    const item = this.reserved.pop()
    if (item !== undefined) this.unreserved.unshift(item)
  }

  release(): void {
    this.unreserved = this.items
    this.reserved = []
  }

  #leave(from: Item[]): Item | undefined {
    const item = from.shift()
    if (item === undefined) return undefined
    this.delivered.push(item.id)
    this.#admit()
    return item
  }

  #admit(): void {
    for (let head = this.line[0]; head !== undefined && this.fits(head); head = this.line[0]) {
      this.line.shift()
      this.unreserved.push(head)
      this.received.push(head.id)
      this.ends.set(head.id, 'accepted')
    }
  }

  remove(item: Item): boolean {
    if (!this.unreserved.includes(item)) return false
    this.unreserved = this.unreserved.filter((other) => other !== item)
    this.rejected.push(item.id)
    this.#admit()
    return true
  }

  abort(item: Item): void {
    if (!this.line.includes(item)) return
    this.#turnAway(item, 'aborted')
    this.#admit()
  }

  #turnAway(item: Item, how: string): void {
    this.line = this.line.filter((other) => other !== item)
    this.received.push(item.id)
    this.rejected.push(item.id)
    this.ends.set(item.id, how)
  }

  close(): number[] {
    if (this.closed) return []
    this.closed = true
    const left = this.items.map((item) => item.id)
    this.dropped.push(...left)
    this.reserved = []
    this.unreserved = []
    for (const item of this.line) this.#turnAway(item, 'closed')
    return left
  }

  /** What the queue should show. */
  view(): Record<string, unknown> {
    return {
      received: this.received.length,
      sent: this.delivered.length,
      dropped: this.dropped.length,
      rejected: this.rejected.length,
      size: this.items.length,
      bytes: this.items.reduce((sum, item) => sum + item.bytes, 0),
      waiting: this.line.length,
      reserved: this.reserved.length,
      givenUp: this.dropped.toSorted((a, b) => a - b),
      items: this.items,
    }
  }
}
