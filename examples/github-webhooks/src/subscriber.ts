/** A subscriber's process: keeps which numbers arrived, and what the hub said may be missing. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createBus, type Bus, type Gap, type Subscription } from '@bus/core'
import type { WebSocketTransport } from '@bus/websocket'
import { Inbox } from './inbox.ts'
import { linkTo } from './link.ts'
import type { Order, SubscriberReport } from './messages.ts'
import { obey, tell } from './parent.ts'
import { toRanges } from './ranges.ts'

/** How long nothing must come, after the end of publishing, until what is missing counts as lost. */
const QUIET_MS = 1_000
const PROGRESS_MS = 100

/** A subscription under way, from the order to subscribe until the report. */
class Subscriber {
  readonly #transport: WebSocketTransport
  readonly #bus: Bus
  readonly #inbox = new Inbox()
  readonly #gapNotices: Gap['reason'][] = []
  readonly #progress: NodeJS.Timeout
  readonly #over = new AbortController()
  #subscription: Subscription | undefined
  /** How many the parent knows of. */
  #told = 0

  constructor(url: string) {
    this.#transport = linkTo(url)
    this.#bus = createBus({ transport: this.#transport })
    this.#bus.on('gap', ({ reason }) => this.#gapNotices.push(reason))
    this.#progress = setInterval(this.#tellProgress, PROGRESS_MS)
  }

  async subscribe(pattern: string): Promise<void> {
    this.#subscription = await this.#bus.subscribe(pattern, (event) => this.#inbox.take(event))
    const { signal } = this.#over
    this.#bus.on('close', () => tell({ kind: 'link', is: 'lost' }), { signal })
    this.#bus.on('open', () => tell({ kind: 'link', is: 'back' }), { signal })
    tell({ kind: 'subscribed' })
  }

  readonly #tellProgress = (): void => {
    const { size } = this.#inbox.seen
    if (size !== this.#told) tell({ kind: 'progress', events: size })
    this.#told = size
  }

  /** Resolves when everything has arrived, or nothing more comes over a link that is up. */
  async quiet(expected: number): Promise<void> {
    let arrivals = this.#inbox.arrivals
    let quietSince = performance.now()
    while (this.#inbox.seen.size < expected) {
      await sleep(QUIET_MS / 20)
      const hasChanged = arrivals !== this.#inbox.arrivals || this.#bus.status.state !== 'ready'
      if (hasChanged) quietSince = performance.now()
      else if (performance.now() - quietSince >= QUIET_MS) return
      arrivals = this.#inbox.arrivals
    }
  }

  async finish(): Promise<SubscriberReport> {
    clearInterval(this.#progress)
    this.#tellProgress()
    // Our own goodbye is not a link that broke.
    this.#over.abort()
    const { received, reconnects } = this.#transport.stats()
    await this.#bus.drain()
    const { seen, duplicates, disordered, strangers, arrivals } = this.#inbox
    const dropped = this.#subscription?.stats().queue.dropped ?? 0
    const letters = this.#bus.deadLetters?.list() ?? []
    const deadLettered = letters
      .map(({ event }) => event?.metadata['sequence'])
      .filter((sequence) => typeof sequence === 'number')
    return {
      delivered: toRanges(seen),
      duplicates,
      disordered,
      strangers,
      suppressed: received - arrivals,
      gapNotices: this.#gapNotices,
      deadLettered: toRanges(deadLettered),
      deadLetters: letters.length,
      reconnects,
      dropped,
    }
  }
}

/** Follows the orders of one subscription. */
function follow(): (order: Order) => Promise<void> {
  let subscriber: Subscriber | undefined
  return async (order) => {
    if (order.kind === 'subscribe') {
      subscriber = new Subscriber(order.url)
      await subscriber.subscribe(order.pattern)
    }
    if (order.kind === 'finish' && subscriber !== undefined) {
      await subscriber.quiet(order.expected)
      tell({ kind: 'received', report: await subscriber.finish() })
    }
  }
}

obey(follow())
