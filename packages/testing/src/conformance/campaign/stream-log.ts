/** What one subscription is told, in the order in which it is told: events, and gaps between them. */
import type { Event, Feed, Gap, Sink, Transport } from '@bus/core'
import { PatternIndex } from '@bus/core/kit'

/** Which event of which publisher; the payload of every event of a campaign. */
export interface Mark {
  /** The publisher. */
  readonly by: number
  /** Counts the events of this publisher, from 0. */
  readonly n: number
}

/** One thing that was told. */
export type Told = Mark | 'gap'

/** The sink of a subscription, which settles at once whatever comes. */
export class StreamLog implements Sink {
  readonly told: Told[] = []
  readonly #patterns = new PatternIndex<true>()
  readonly #feed: Feed

  constructor(transport: Transport, patterns: readonly string[]) {
    for (const pattern of patterns) this.#patterns.add(pattern, true)
    transport.on('gap', (gap) => this.#gap(gap, patterns))
    this.#feed = transport.subscribe(patterns, this)
  }

  get live(): Promise<void> {
    return this.#feed.live
  }

  /** Whether it wants events of this type. */
  wants(type: string): boolean {
    return this.#patterns.match(type).length > 0
  }

  deliver({ payload }: Event, token: number): boolean {
    this.told.push(payload as Mark)
    this.#feed.settle(token)
    return true
  }

  #gap({ patterns }: Gap, own: readonly string[]): void {
    if (own.some((pattern) => patterns.includes(pattern))) this.told.push('gap')
  }
}
