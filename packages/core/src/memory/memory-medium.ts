/** What memory transports share: the subscriptions and their patterns. */
import type { Event } from '../contract/event.ts'
import type { Feed, Sink } from '../contract/transport.ts'
import { PatternIndex } from '../contract/pattern-index.ts'

/** Connects the memory transports that are given it: what one publishes, all of them deliver. */
export interface MemoryMedium {
  readonly feeds: PatternIndex<MemoryFeed>
}

/** Makes a medium of its own: transports of different media never see each other's events. */
export function memoryMedium(): MemoryMedium {
  return Object.freeze({ feeds: new PatternIndex<MemoryFeed>() })
}

/** Every type. */
const EVERYTHING: readonly string[] = Object.freeze(['>'])

/** One subscription of one memory transport. */
export class MemoryFeed implements Feed {
  readonly live: Promise<void>
  readonly #medium: MemoryMedium
  readonly #patterns: readonly string[]
  readonly #sink: Sink
  readonly #onEnd: (feed: MemoryFeed) => void
  /** Publishers that wait until the sink has room. */
  readonly #held = new Set<() => void>()
  #state: 'waiting' | 'live' | 'ended' = 'waiting'
  #isHolding = false
  #tokens = 0
  #settleLive: { resolve(): void; reject(error: Error): void } | undefined

  constructor(
    medium: MemoryMedium,
    patterns: readonly string[],
    sink: Sink,
    onEnd: (feed: MemoryFeed) => void,
  ) {
    this.#medium = medium
    this.#patterns = patterns.length === 0 ? EVERYTHING : patterns
    this.#sink = sink
    this.#onEnd = onEnd
    this.live = new Promise((resolve, reject) => {
      this.#settleLive = { resolve, reject }
    })
    // It may reject although nothing waits for it.
    this.live.catch(() => {})
  }

  /** Whether the sink is full. */
  get isHolding(): boolean {
    return this.#isHolding
  }

  get hasEnded(): boolean {
    return this.#state === 'ended'
  }

  start(): void {
    if (this.#state !== 'waiting') return
    this.#state = 'live'
    for (const pattern of this.#patterns) this.#medium.feeds.add(pattern, this)
    this.#settleLive?.resolve()
  }

  deliver(event: Event): void {
    if (this.#state !== 'live') return
    this.#isHolding = !this.#sink.deliver(event, this.#tokens++)
  }

  /** Calls `resume` once when the sink has room or the feed ended. Returns how to forget it. */
  hold(resume: () => void): () => void {
    this.#held.add(resume)
    return () => this.#held.delete(resume)
  }

  ready(): void {
    this.#isHolding = false
    this.#release()
  }

  /** Nothing to do: this medium keeps no events, so it waits for no acknowledgement. */
  settle(): void {}

  unsubscribe(): Promise<void> {
    this.end(undefined)
    return Promise.resolve()
  }

  /** After this call the sink gets nothing more. */
  end(error: Error | undefined): void {
    if (this.#state === 'ended') return
    if (this.#state === 'live') {
      for (const pattern of this.#patterns) this.#medium.feeds.delete(pattern, this)
    }
    this.#state = 'ended'
    if (error === undefined) this.#settleLive?.resolve()
    else this.#settleLive?.reject(error)
    this.#release()
    this.#onEnd(this)
  }

  #release(): void {
    const held = [...this.#held]
    this.#held.clear()
    for (const resume of held) resume()
  }
}
