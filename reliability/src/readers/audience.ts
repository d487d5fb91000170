/** An audience: readers in a process of their own, who note how long events took and what they missed. */
import { createBus, type Bus, type Event } from '@bus/core'
import { webSocketTransport } from '@bus/websocket'

/** The type that every reader reads, whose latency counts. */
export const TICK = 'readers.tick'
/** The type that only those read who are too slow for it. */
export const FLOOD = 'readers.flood'

/** What an event of the run carries. */
export interface Note {
  /** Counts all events of the run from 1. */
  readonly n: number
  /** Microseconds of the machine's own clock, which all processes share. */
  readonly at: number
  readonly fill: string
}

/** Microseconds of the clock that all processes of this machine share. */
export function microseconds(): number {
  return Number(process.hrtime.bigint() / 1_000n)
}

export interface AudienceOrder {
  readonly url: string
  readonly readers: number
  readonly patterns: readonly string[]
}

/** What one reader got since it came. */
export interface ReaderState {
  readonly handled: number
  /** The newest event. */
  readonly newest: number
  /** Events that are missing before it, counted from the first that came. */
  readonly missing: number
  readonly gaps: number
  /** Positions that the gaps name, together. */
  readonly gapSize: number
}

/** Comes and goes in its process. */
export class Audience {
  #readers: Reader[] = []
  #latencies: number[] = []

  async come({ url, readers, patterns }: AudienceOrder): Promise<void> {
    const all = Array.from(
      { length: readers },
      () => new Reader(url, (us) => this.#latencies.push(us)),
    )
    this.#readers.push(...all)
    await Promise.all(all.map((reader) => reader.subscribe(patterns)))
  }

  states(): ReaderState[] {
    return this.#readers.map((reader) => reader.state())
  }

  /** Microseconds that ticks took since the last call. */
  takeLatencies(): Float64Array {
    const taken = Float64Array.from(this.#latencies)
    this.#latencies = []
    return taken
  }

  async go(): Promise<void> {
    const all = this.#readers
    this.#readers = []
    await Promise.all(all.map((reader) => reader.close()))
  }
}

class Reader {
  readonly #bus: Bus
  readonly #onTick: (us: number) => void
  #handled = 0
  #first = 0
  #newest = 0
  #gaps = 0
  #gapSize = 0

  constructor(url: string, onTick: (us: number) => void) {
    this.#bus = createBus({ transport: webSocketTransport({ url }), deadLetters: false })
    this.#onTick = onTick
    this.#bus.on('gap', ({ from, to }) => {
      this.#gaps++
      this.#gapSize += to - from + 1
    })
  }

  async subscribe(patterns: readonly string[]): Promise<void> {
    await this.#bus.subscribe(patterns, ({ type, payload }: Event) => {
      const { n, at } = payload as Note
      if (type === TICK) this.#onTick(microseconds() - at)
      this.#handled++
      if (this.#first === 0) this.#first = n
      this.#newest = Math.max(this.#newest, n)
    })
  }

  state(): ReaderState {
    const expected = this.#handled === 0 ? 0 : this.#newest - this.#first + 1
    return {
      handled: this.#handled,
      newest: this.#newest,
      missing: expected - this.#handled,
      gaps: this.#gaps,
      gapSize: this.#gapSize,
    }
  }

  close(): Promise<void> {
    return this.#bus.close()
  }
}
