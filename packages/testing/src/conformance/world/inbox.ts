/** Keeps what one subscription receives, and compares it. */
import assert from 'node:assert/strict'
import type { Event, Subscription } from '@bus/core'
import type { CaseWaits } from './waiting.ts'

/** What arrived at one subscription, in the order of arrival. */
export class Inbox {
  readonly events: Event[] = []
  readonly #waiting: CaseWaits
  #subscription: Subscription | undefined

  constructor(waiting: CaseWaits) {
    this.#waiting = waiting
  }

  /** The handler to subscribe. */
  readonly take = (event: Event): void => {
    this.events.push(event)
  }

  /** Observed once, when the subscription is there. */
  attach(subscription: Subscription): void {
    this.#subscription = subscription
  }

  get subscription(): Subscription {
    assert.ok(this.#subscription, 'the inbox is subscribed')
    return this.#subscription
  }

  get payloads(): unknown[] {
    return this.events.map(({ payload }) => payload)
  }

  /** Waits for so many events, and through the quiet period for one too many. */
  async count(expected: number): Promise<void> {
    const arrived = (): number => this.events.length
    await this.#waiting.untilDone(() => arrived() >= expected, arrived, `${expected} events`)
    await this.#waiting.quiet()
    assert.equal(this.events.length, expected, 'as many events as were published, once each')
  }

  /** Waits for exactly these payloads, in this order. */
  async getsInOrder(expected: readonly unknown[]): Promise<void> {
    await this.count(expected.length)
    assert.deepEqual(this.payloads, expected)
  }

  /** Waits for exactly these payloads, in whatever order. */
  async gets(expected: readonly unknown[]): Promise<void> {
    await this.count(expected.length)
    assert.deepEqual(sorted(this.payloads), sorted(expected))
  }
}

function sorted(values: readonly unknown[]): string[] {
  return values.map((value) => JSON.stringify(value)).toSorted()
}
