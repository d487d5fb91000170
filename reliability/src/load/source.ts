/** A source: publishers that publish one run's events, and say when it is over. */
import type { Bus } from '@bus/core'
import { Ledger } from '../oracle/ledger.ts'
import { Publisher } from './publisher.ts'
import { END_OF_LOAD } from './subscriber.ts'

/** Milliseconds without a settled publish after which it gives up. */
const STALLED_MS = 15_000
/** Milliseconds between two looks at whether publishers may go on. */
const TICK_MS = 5

export interface SourceOptions {
  /** One for each publisher; they end with the source. */
  readonly buses: readonly Bus[]
  readonly seed: number
  /** Events of each publisher. */
  readonly events: number
  /** The type of event `n` of publisher `p`. */
  readonly typeOf: (p: number, n: number) => string
  /** Whether publishers must wait, when so many are settled. @default never */
  readonly mustWait?: (settled: number) => boolean
}

/** Publishes where no subscriber of the run is in the same process. */
export class Source implements AsyncDisposable {
  readonly ledger: Ledger
  readonly #options: SourceOptions
  readonly #publishers: readonly Publisher[]
  #waiters: { readonly settled: number; readonly resolve: () => void }[] = []

  constructor(options: SourceOptions) {
    const { buses, seed, events, typeOf, mustWait } = options
    this.#options = options
    const ledger = new Ledger(buses.length, events)
    this.ledger = ledger
    this.#publishers = buses.map(
      (bus, index) =>
        new Publisher({
          bus,
          index,
          seed,
          ledger,
          typeOf: (n) => typeOf(index, n),
          onSettled: () => this.#wake(),
          mustWait: () => mustWait?.(ledger.settled) ?? false,
        }),
    )
  }

  /** Resolves when so many are settled. */
  whenSettled(settled: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push({ settled, resolve })
      this.#wake()
    })
  }

  /** Publishes everything, and what says that nothing more comes. @returns when it is settled, or nothing moves any more */
  async run(): Promise<void> {
    const tick = setInterval(() => {
      for (const publisher of this.#publishers) publisher.look()
    }, TICK_MS)
    const runs = this.#publishers.map((publisher) => publisher.run())
    try {
      await this.#untilSettled()
      for (const publisher of this.#publishers) publisher.stop()
      await Promise.all(runs)
      await this.#options.buses[0]?.publish(END_OF_LOAD, null, { timeoutMs: STALLED_MS })
    } catch (error) {
      // A run that is stuck ends with what it has; its bars say what is missing.
      this.ledger.note(String(error))
    } finally {
      clearInterval(tick)
      for (const { resolve } of this.#waiters) resolve()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const publisher of this.#publishers) publisher.stop()
    await Promise.all(this.#options.buses.map((bus) => bus.close()))
  }

  async #untilSettled(): Promise<void> {
    const { ledger } = this
    let settled = 0
    let movedAt = performance.now()
    while (ledger.count('pending') > 0 && performance.now() - movedAt < STALLED_MS) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      if (ledger.settled !== settled) movedAt = performance.now()
      settled = ledger.settled
    }
  }

  #wake(): void {
    const { settled } = this.ledger
    const due = this.#waiters.filter((waiter) => waiter.settled <= settled)
    if (due.length === 0) return
    this.#waiters = this.#waiters.filter((waiter) => waiter.settled > settled)
    for (const { resolve } of due) resolve()
  }
}
