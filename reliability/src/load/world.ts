/** The world of a suite: publishers and subscribers with their records, and how long to wait for them. */
import type { Bus } from '@bus/core'
import { seededRandom } from '@bus/testing/chaos'
import type { WebSocketTransportOptions } from '@bus/websocket'
import { drawUp, type Account } from '../oracle/account.ts'
import { Ledger } from '../oracle/ledger.ts'
import { SubscriberRecord } from '../oracle/record.ts'
import { Progress } from '../report/progress.ts'
import { newBus } from './client.ts'
import { Publisher } from './publisher.ts'
import { END_OF_LOAD, subscribe, type Pace } from './subscriber.ts'

/** Milliseconds without anything happening after which a run is over. */
const STALLED_MS = 15_000
/** Milliseconds in which nothing more comes when everything has. */
const QUIET_MS = 250
/** Milliseconds between two looks at what has to wait. */
const TICK_MS = 5

export interface WorldOptions {
  /** What the progress is reported for. */
  readonly name: string
  /** The figures of the moment, besides how many publishes are settled. */
  readonly describe: () => string
  readonly seed: number
  readonly publishers: number
  /** Events of each publisher. */
  readonly events: number
  /** So many are settled. Also called every few milliseconds, because trouble may be due that had to wait. */
  readonly onSettled: (settled: number) => void
  /** Whether publishers must wait. */
  readonly mustWait: () => boolean
  /** Resolves when nothing is broken any more. @default at once */
  readonly whenCalm?: () => Promise<void>
  /** How the clients differ from those of the other suites. @default not at all */
  readonly transport?: Partial<WebSocketTransportOptions>
}

/** Ends with its run. */
export class World implements AsyncDisposable {
  readonly ledger: Ledger
  readonly records: SubscriberRecord[] = []
  readonly publisherBuses: Bus[] = []
  readonly subscriberBuses: Bus[] = []
  readonly #options: WorldOptions
  readonly #publishers: Publisher[] = []
  #clients = 0
  /** How long the run took. */
  seconds = 0

  constructor(options: WorldOptions) {
    this.#options = options
    this.ledger = new Ledger(options.publishers, options.events)
  }

  addPublisher(url: string): void {
    const { seed, mustWait, onSettled } = this.#options
    const index = this.#publishers.length
    const bus = this.#newBus(url, `publisher-${index}`)
    this.publisherBuses.push(bus)
    const { ledger } = this
    const settled = (): void => onSettled(ledger.settled)
    this.#publishers.push(new Publisher({ bus, index, seed, ledger, onSettled: settled, mustWait }))
  }

  async addSubscriber(url: string, patterns: readonly string[], pace?: Pace): Promise<void> {
    const { seed, publishers, events } = this.#options
    const bus = this.#newBus(url, `subscriber-${this.subscriberBuses.length}`)
    this.subscriberBuses.push(bus)
    const record = new SubscriberRecord(publishers, events)
    this.records.push(record)
    await subscribe({ bus, seed, record, patterns, ...(pace === undefined ? {} : { pace }) })
  }

  /** Publishes everything and waits until each event is accounted for, or nothing happens any more. */
  async run(): Promise<void> {
    const { ledger } = this
    const all = ledger.publishers * ledger.events
    const { name, describe, onSettled } = this.#options
    using progress = new Progress(name, () => `${ledger.settled} of ${all}, ${describe()}`)
    const startedAt = performance.now()
    const tick = setInterval(() => {
      onSettled(ledger.settled)
      for (const publisher of this.#publishers) publisher.look()
    }, TICK_MS)
    try {
      await this.#publishAll()
      await this.#options.whenCalm?.()
      await this.#publishEnd()
    } finally {
      clearInterval(tick)
      this.seconds = Math.round(performance.now() - startedAt) / 1_000
    }
  }

  async #publishAll(): Promise<void> {
    const runs = this.#publishers.map((publisher) => publisher.run())
    await this.#untilDone(() => this.ledger.count('pending') === 0)
    for (const publisher of this.#publishers) publisher.stop()
    await Promise.all(runs)
  }

  /** The hub keeps the order in which it confirms, so behind this event comes nothing of what was confirmed. */
  async #publishEnd(): Promise<void> {
    try {
      await this.publisherBuses[0]?.publish(END_OF_LOAD, null, { timeoutMs: STALLED_MS })
    } catch (error) {
      // A run that is stuck ends with what it has; its bars say what is missing.
      this.ledger.note(String(error))
      return
    }
    await this.#untilDone(() => this.records.every((r) => r.ends > 0), QUIET_MS)
  }

  /** Whether every publish so far has its outcome, and every subscriber has handled what was confirmed. */
  get isIdle(): boolean {
    const confirmed = this.ledger.count('confirmed')
    return (
      this.#publishers.every(({ inFlight }) => inFlight === 0) &&
      this.records.every(({ handled }) => handled >= confirmed)
    )
  }

  /** One account for each subscriber. */
  accounts(): Account[] {
    return this.records.map((record) => drawUp(this.ledger, record))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const publisher of this.#publishers) publisher.stop()
    const buses = [...this.publisherBuses, ...this.subscriberBuses]
    await Promise.all(buses.map((bus) => bus.close()))
  }

  #newBus(url: string, source: string): Bus {
    this.#clients++
    const { seed, transport } = this.#options
    return newBus(url, source, seededRandom(seed + this.#clients), transport)
  }

  /** Looks every 20 ms; gives up when no figure moves for a long time. @param quietMs - without any move at the end */
  async #untilDone(isDone: () => boolean, quietMs = 0): Promise<void> {
    let figures = ''
    let movedAt = performance.now()
    while (!isDone() || performance.now() - movedAt < quietMs) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      const handled = this.records.map((r) => `${r.handled} ${r.gapCount} ${r.duplicates}`)
      const now = [this.ledger.settled, ...handled].join(' ')
      if (now !== figures) movedAt = performance.now()
      else if (performance.now() - movedAt > STALLED_MS) return
      figures = now
    }
  }
}
