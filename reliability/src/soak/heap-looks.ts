/** Looks at heaps while a soak runs, each at a moment when nothing is under way. */
import { takeStock, type Holdings } from '../measure/heap.ts'
import { slopeOf } from '../measure/slope.ts'
import { untilState } from '../measure/until.ts'

/** The live heaps at one moment. */
interface HeapLook {
  /** Simulated days since the start. */
  readonly day: number
  /** Bytes. */
  readonly client: number
  readonly hub: number
}

export interface HeapLooksOptions {
  /** Looks in all, at equal distances. */
  readonly count: number
  /** Simulated days that the run takes. */
  readonly days: number
  /** Milliseconds of one simulated day. */
  readonly dayMs: number
  /** Whether nothing is under way. */
  readonly isIdle: () => boolean
  /** Takes stock of the hub's process. */
  readonly hub: () => Promise<Holdings>
}

/**
 * Events that wait out a fault are no leak, and there is a fault at nearly every moment. So publishers hold while
 * {@link isWaiting}, and once everything is settled and handled a heap holds what stays.
 */
export class HeapLooks {
  readonly looks: HeapLook[] = []
  readonly #options: HeapLooksOptions
  #isWaiting = false

  constructor(options: HeapLooksOptions) {
    this.#options = options
  }

  /** Whether nobody should publish. */
  get isWaiting(): boolean {
    return this.#isWaiting
  }

  /** Resolves after the last look. */
  async run(): Promise<void> {
    const { count, days, dayMs } = this.#options
    const startedAt = performance.now()
    for (let i = 1; i <= count; i++) {
      const due = (i / count) * days * dayMs - (performance.now() - startedAt)
      await new Promise((resolve) => setTimeout(resolve, due))
      this.#isWaiting = true
      await this.#look(startedAt)
      this.#isWaiting = false
    }
  }

  /** @param warmUp - the share of looks that does not count. @returns bytes a day, by least squares */
  growth(side: 'client' | 'hub', warmUp: number): number {
    const steady = this.looks.slice(Math.ceil(this.looks.length * warmUp))
    return Math.round(slopeOf(steady.map((look) => [look.day, look[side]])))
  }

  async #look(startedAt: number): Promise<void> {
    const { isIdle, hub, dayMs } = this.#options
    // Where something is stuck the bars of the suite say what; the heap is looked at all the same.
    await untilState(async () => isIdle(), Boolean)
    const day = (performance.now() - startedAt) / dayMs
    const [client, hubs] = await Promise.all([takeStock(), hub()])
    this.looks.push({ day, client: client.heapBytes, hub: hubs.heapBytes })
  }
}
