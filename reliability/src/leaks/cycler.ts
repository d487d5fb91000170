/** A cycler: does the same thing thousands of times in a process whose heap is looked at before and after. */
import { getEventListeners, setMaxListeners } from 'node:events'
import { AbortedError, backoff, type Bus } from '@bus/core'
import { newBus } from '../load/client.ts'

/** Cycles that are under way at the same time. */
const AT_ONCE = 50

/** Lives as long as its process. */
export class Cycler {
  readonly #url: string
  readonly #deadUrl: string
  #buses: Bus[] = []
  /** Outlives every publish that it could end. */
  readonly #lasting = new AbortController()
  #returns = 0
  #refusals = 0
  #aborted = 0
  #wake = (): void => {}

  /** @param deadUrl - a URL without a listener */
  constructor(url: string, deadUrl: string) {
    this.#url = url
    this.#deadUrl = deadUrl
    // At most the publishes that are under way listen to it.
    setMaxListeners(AT_ONCE * 2, this.#lasting.signal)
  }

  /** Clients with a subscription each, ready. */
  async open(clients: number): Promise<void> {
    this.#buses = Array.from({ length: clients }, (_, i) => this.#newBus(this.#url, i))
    for (const bus of this.#buses) {
      bus.on('open', ({ reconnected }) => {
        if (!reconnected) return
        this.#returns++
        this.#wake()
      })
    }
    await Promise.all(this.#buses.map((bus, i) => bus.subscribe(`leak.${i}`, () => {})))
  }

  /** Clients that dial a URL without a listener. */
  openInVain(clients: number): void {
    this.#buses = Array.from({ length: clients }, (_, i) => this.#newBus(this.#deadUrl, i))
    for (const bus of this.#buses) {
      bus.on('status', ({ status }) => {
        if (status.state !== 'backoff') return
        this.#refusals++
        this.#wake()
      })
      bus.connect().catch(() => {})
    }
  }

  /** Links that came back so far. */
  async returned(total: number): Promise<void> {
    while (this.#returns < total) await this.#change()
  }

  /** So many more dials are refused. */
  async refused(dials: number): Promise<void> {
    const total = this.#refusals + dials
    while (this.#refusals < total) await this.#change()
  }

  /** Subscribes and unsubscribes, each time to another type. */
  async subscribe(cycles: number): Promise<void> {
    const bus = this.#first()
    await inBatches(cycles, async (n) => {
      const subscription = await bus.subscribe(`leak.type-${n}`, () => {})
      await subscription.unsubscribe()
    })
  }

  /** Publishes and aborts, at different moments. @returns how many rejected for that reason */
  async abort(cycles: number): Promise<number> {
    this.#aborted = 0
    const offline = this.#newBus(this.#deadUrl, 0)
    offline.connect().catch(() => {})
    await inBatches(cycles, (n) => this.#abortOne(this.#first(), offline, n))
    await offline.close()
    return this.#aborted
  }

  /** Listeners of the signal that no publish is left for. */
  get leftListeners(): number {
    return getEventListeners(this.#lasting.signal, 'abort').length
  }

  async close(): Promise<void> {
    const buses = this.#buses
    this.#buses = []
    await Promise.all(buses.map((bus) => bus.close()))
  }

  async #abortOne(bus: Bus, offline: Bus, n: number): Promise<void> {
    const abort = new AbortController()
    const moment = n % 4
    // Before the call; while it waits for a link; right after the call; and never, by a signal that lasts.
    if (moment === 0) abort.abort()
    const signal = moment === 3 ? this.#lasting.signal : abort.signal
    const publishing = (moment === 1 ? offline : bus).publish(`leak.${n}`, n, { signal })
    if (moment === 1) setImmediate(() => abort.abort())
    if (moment === 2) abort.abort()
    try {
      await publishing
    } catch (error) {
      if (!(error instanceof AbortedError)) throw error
      this.#aborted++
    }
  }

  #first(): Bus {
    const [bus] = this.#buses
    if (bus === undefined) throw new Error('There is no client')
    return bus
  }

  #newBus(url: string, i: number): Bus {
    const reconnect = { backoff: backoff.constant({ delayMs: 1 }) }
    return newBus(url, `cycler-${i}`, Math.random, { reconnect })
  }

  #change(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve))
  }
}

async function inBatches(cycles: number, cycle: (n: number) => Promise<void>): Promise<void> {
  for (let n = 0; n < cycles; n += AT_ONCE) {
    const length = Math.min(AT_ONCE, cycles - n)
    await Promise.all(Array.from({ length }, (_, i) => cycle(n + i)))
  }
}
