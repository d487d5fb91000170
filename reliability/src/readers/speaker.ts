/** A speaker: publishes at a steady pace, or as fast as it may, and counts what it was told. */
import type { Bus } from '@bus/core'
import { FLOOD, microseconds, TICK, type Note } from './audience.ts'

/** Milliseconds between two looks at what is due. */
const LOOK_MS = 5

/** What it says in a second. */
export interface Pace {
  readonly ticksPerSecond: number
  readonly floodsPerSecond: number
}

/** One for the whole run: its events are numbered through. */
export class Speaker {
  readonly #bus: Bus
  readonly #fill: string
  #n = 0
  confirmed = 0
  failed = 0

  /** @param bytes - of the payload of every event, roughly */
  constructor(bus: Bus, bytes: number) {
    this.#bus = bus
    this.#fill = 'x'.repeat(bytes)
  }

  /** Events so far. */
  get published(): number {
    return this.#n
  }

  /** Keeps to the pace for so long, however late it is in between. */
  async speak(ms: number, { ticksPerSecond, floodsPerSecond }: Pace): Promise<void> {
    const startedAt = performance.now()
    let ticks = 0
    let floods = 0
    for (let now = startedAt; now - startedAt < ms; now = performance.now()) {
      const seconds = (now - startedAt) / 1_000
      for (; ticks < seconds * ticksPerSecond; ticks++) this.#say(TICK)
      for (; floods < seconds * floodsPerSecond; floods++) this.#say(FLOOD)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }

  /** Says so many at once. */
  flood(count: number): void {
    for (let i = 0; i < count; i++) this.#say(FLOOD)
  }

  #say(type: string): void {
    const note: Note = { n: ++this.#n, at: microseconds(), fill: this.#fill }
    this.#bus.publish(type, note).then(
      () => this.confirmed++,
      () => this.failed++,
    )
  }
}
