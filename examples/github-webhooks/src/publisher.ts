/** The publisher's process: numbers the events and publishes them as fast as the hub takes them. */
import { createBus, createEvent, outcomeOf, type BusError, type PublishReceipt } from '@bus/core'
import { linkTo } from './link.ts'
import { loadEvents, type EventSource } from './load-events.ts'
import type { PublisherReport } from './messages.ts'
import { obey, tell } from './parent.ts'
import { Semaphore } from './semaphore.ts'
import { toRanges } from './ranges.ts'

/** How many publishes may wait for their outcome. */
const MAX_IN_FLIGHT = 256
const DRAIN_TIMEOUT_MS = 60_000

obey(async (order) => {
  if (order.kind !== 'publish') return
  tell({ kind: 'published', report: await publishAll(order.url, order.source) })
})

async function publishAll(url: string, source: EventSource): Promise<PublisherReport> {
  const events = await loadEvents(source)
  const transport = linkTo(url)
  const bus = createBus({ transport, source: 'github-webhooks' })
  const log = new OutcomeLog(events.total)
  bus.on('close', ({ wasClean }) => log.linkEnded(wasClean))
  bus.on('open', ({ reconnected }) => {
    if (reconnected) tell({ kind: 'link', is: 'back' })
  })
  const permits = new Semaphore(MAX_IN_FLIGHT)
  for (let sequence = 1; sequence <= events.total; sequence++) {
    await permits.acquire()
    const { type, payload, init } = events.at(sequence)
    const event = createEvent(type, payload, { source: 'github-webhooks', ...init, sequence })
    void bus
      .publish(event)
      .then(
        ({ status }) => log.succeeded(status),
        (error: BusError) => log.failed(sequence, error),
      )
      .finally(() => permits.release())
  }
  await permits.whenIdle()
  log.isOver = true
  await bus.drain({ timeoutMs: DRAIN_TIMEOUT_MS })
  const { resent, reconnects } = transport.stats()
  const { dropped } = bus.backpressureStats()
  const { delivery: guarantee } = bus.capabilities
  const deadLetters = bus.deadLetters?.size ?? 0
  return { ...log.report(), guarantee, resent, reconnects, dropped, deadLetters }
}

/** What became of each publish. */
class OutcomeLog {
  /** Everything is settled: the link is about to be closed by us. */
  isOver = false
  readonly #step: number
  readonly #rejected: Record<string, number> = {}
  readonly #notSent: number[] = []
  readonly #unknown: number[] = []
  #published = 0
  #confirmed = 0
  #settled = 0

  constructor(total: number) {
    this.#step = Math.ceil(total / 100)
  }

  succeeded(status: PublishReceipt['status']): void {
    this.#published++
    if (status === 'confirmed') this.#confirmed++
    this.#settle()
  }

  failed(sequence: number, error: BusError): void {
    const { code } = error
    this.#rejected[code] = (this.#rejected[code] ?? 0) + 1
    const numbers = outcomeOf(error) === 'unknown' ? this.#unknown : this.#notSent
    numbers.push(sequence)
    this.#settle()
  }

  linkEnded(wasClean: boolean): void {
    if (this.isOver && wasClean) return
    tell({ kind: 'link', is: 'lost' })
  }

  report(): Pick<PublisherReport, 'published' | 'confirmed' | 'rejected' | 'notSent' | 'unknown'> {
    return {
      published: this.#published,
      confirmed: this.#confirmed,
      rejected: this.#rejected,
      notSent: toRanges(this.#notSent),
      unknown: toRanges(this.#unknown),
    }
  }

  #settle(): void {
    this.#settled++
    if (this.#settled % this.#step === 0) tell({ kind: 'progress', events: this.#settled })
  }
}
