/** A campaign: publishers and subscriptions that continue while their connections break, and what must be true at the end. */
import assert from 'node:assert/strict'
import { createEvent, outcomeOf, type Transport } from '@bus/core'
import type { World } from '../world/world.ts'
import { complaints, type Mark, SubscriberLog } from './subscriber-log.ts'

/** What is published; each subscription matches some of it. */
const TYPES = ['order.created', 'order.paid', 'stock.low'] as const
const PATTERNS = [['>'], ['order.*'], ['order.paid', 'stock.>']] as const
const PUBLISHERS = 2
const SUBSCRIBERS = 2

interface Published extends Mark {
  readonly type: string
  readonly fate: 'confirmed' | 'not-sent' | 'rejected' | 'unknown'
}

/** Begin with {@link Campaign.begin}, break what you like, and {@link end} it. */
export class Campaign {
  readonly publishers: readonly Transport[]
  readonly subscribers: readonly Transport[]
  readonly #world: World
  readonly #logs: SubscriberLog[] = []
  readonly #published: Published[] = []
  readonly #underWay = new Set<Promise<void>>()
  readonly #counts: number[] = []

  constructor(world: World) {
    this.#world = world
    this.publishers = Array.from({ length: PUBLISHERS }, () => world.transport())
    this.subscribers = Array.from({ length: SUBSCRIBERS }, () => world.transport())
  }

  get transports(): readonly Transport[] {
    return [...this.publishers, ...this.subscribers]
  }

  /** Every subscription is live. */
  async begin(): Promise<void> {
    for (const subscriber of this.subscribers) {
      for (const patterns of PATTERNS) this.#logs.push(new SubscriberLog(subscriber, patterns))
    }
    const lives = this.#logs.map(({ live }) => live)
    await this.#world.all(lives, 'every subscription to be live')
  }

  /** Publishes an event of a random type, and remembers what becomes of it. */
  publish(by: number): void {
    const type = this.#pick(TYPES)
    const n = this.#counts[by] ?? 0
    this.#counts[by] = n + 1
    const event = createEvent(type, { by, n } satisfies Mark, { source: `publisher-${by}` })
    const publishing = this.publishers[by]?.publish(event).then(
      () => void this.#published.push({ by, n, type, fate: 'confirmed' }),
      (error: unknown) => void this.#published.push({ by, n, type, fate: outcomeOf(error) }),
    )
    assert.ok(publishing, `there is a publisher ${by}`)
    this.#underWay.add(publishing)
    void publishing.then(() => this.#underWay.delete(publishing))
  }

  /** A random one of the list. */
  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#world.random() * list.length)] as T
  }

  /** Every publish is settled, one way or the other. */
  settle(): Promise<void> {
    const settled = (): number => this.#published.length
    return this.#world.untilDone(
      () => this.#underWay.size === 0,
      settled,
      `every publish to be settled (${this.#states()})`,
    )
  }

  /** Call it when nothing is broken any more: waits until everything has arrived or was reported, and compares. */
  async end(): Promise<void> {
    await this.settle()
    // Published last: a subscription that has it has got everything before.
    const firstLast = this.#published.length
    for (const [by] of this.publishers.entries()) {
      for (let n = 0; n < 3 * TYPES.length; n++) this.publish(by)
    }
    await this.settle()
    const last = this.#published.slice(firstLast)
    assert.ok(
      last.every(({ fate }) => fate === 'confirmed'),
      `when nothing is broken any more, everything is confirmed, not ${last.map(({ fate }) => fate).join()}; ${this.#states()}`,
    )
    for (const log of this.#logs) await this.#until(log, last)
    for (const log of this.#logs) this.#judge(log)
  }

  /** Ends its transports. */
  async close(): Promise<void> {
    await Promise.all(this.transports.map((transport) => transport.close()))
  }

  async #until(log: SubscriberLog, last: readonly Published[]): Promise<void> {
    const expected = last.filter(({ type, fate }) => fate === 'confirmed' && log.matches(type))
    const missing = (): readonly Published[] => {
      const recent = log.observed.slice(-1_000)
      return expected.filter(
        ({ by, n }) => !recent.some((one) => one !== 'gap' && one.by === by && one.n === n),
      )
    }
    await this.#world.until(
      () => missing().length === 0,
      'what was published after the last fault to arrive',
      () => `${missing().length} of ${expected.length} did not; ${this.#states()}`,
    )
  }

  #judge(log: SubscriberLog): void {
    const { ordering, dedupe } = this.#world.capabilities
    const expected = this.#published.filter(({ type }) => log.matches(type))
    const numbersOf = (by: number, fate: Published['fate']): number[] =>
      expected.flatMap((one) => (one.by === by && one.fate === fate ? [one.n] : []))
    const confirmed = this.publishers.map((_, by) =>
      numbersOf(by, 'confirmed').toSorted((a, b) => a - b),
    )
    const promises = { isOrdered: ordering !== 'none', dedupes: dedupe }
    assert.deepEqual(complaints(log.observed, confirmed, promises), [], 'no loss is silent')
    const unsent = new Set(
      this.publishers.flatMap((_, by) => numbersOf(by, 'not-sent').map((n) => `${by}/${n}`)),
    )
    const both = log.observed.filter((one) => one !== 'gap' && unsent.has(`${one.by}/${one.n}`))
    assert.deepEqual(both, [], 'what was refused as not sent does not arrive')
  }

  #states(): string {
    return this.transports.map(({ status }) => status.state).join()
  }
}
