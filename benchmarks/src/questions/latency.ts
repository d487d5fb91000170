/** How long does a single event take from publish to handler at 1,000 events a second? */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { loadContender, type Entry } from '../contenders/catalogue.ts'
import type { Publisher } from '../contenders/contender.ts'
import type { Finding, Metric, Sample } from '../report/finding.ts'
import { alternate, casesOf } from '../run/alternate.ts'
import { withBroker, withClient } from '../run/job.ts'
import type { Plan } from '../run/plan.ts'
import { Arrivals } from '../workload/arrivals.ts'
import { orders } from '../workload/orders.ts'
import type { OpenOrder, QuestionClient } from './order.ts'

const PER_SECOND = 1_000
/** Ten times as fast, and twice as many: what is measured is not how long V8 takes to compile. */
const WARM_UP = 2
const EVENTS = { full: 10_000, quick: 3_000, smoke: 100 } as const

const METRICS: readonly Metric[] = Object.freeze<Metric[]>([
  { key: 'p50', label: 'p50 µs', digits: 0, better: 'lower' },
  { key: 'p99', label: 'p99 µs', digits: 0, better: 'lower' },
])

/** One finding for each guarantee that a contender gives. */
export async function askLatency(plan: Plan): Promise<Finding[]> {
  const cases = casesOf(plan.entries, async (entry) => await runContender(entry, plan))
  const rows = await alternate(cases, plan, 'latency')
  const guarantees = ['at-most-once', 'at-least-once'] as const
  return guarantees.flatMap((guarantee) => {
    const names = new Set<string>(
      plan.entries.filter((one) => one.guarantee === guarantee).map(({ name }) => name),
    )
    if (names.size === 0) return []
    return {
      name: `latency-${guarantee}`,
      title: `Latency of single orders at ${PER_SECOND.toLocaleString('en-US')} a second, ${guarantee.replaceAll('-', ' ')}`,
      metrics: METRICS,
      reference: plan.reference(guarantee),
      rows: rows.filter(({ name }) => names.has(name)),
    }
  })
}

async function runContender({ name }: Entry, plan: Plan): Promise<Sample> {
  const count = EVENTS[plan.size]
  return await withBroker(name, async ({ url }) => {
    const order: OpenOrder = {
      question: 'latency',
      contender: name,
      url,
      workload: 'orders',
      count,
    }
    return await withClient(order, async (step) => {
      await step('warmUp')
      return await step<Sample>('measure')
    })
  })
}

/** Publisher and subscriber in one process, so that they share a clock. */
export async function openLatency({
  contender: name,
  url,
  count,
}: OpenOrder): Promise<QuestionClient> {
  const contender = await loadContender(name)
  const arrivals = new Arrivals(orders)
  const sentAt: number[] = [0]
  let microseconds: number[] = []
  await contender.connectSubscriber(url, orders, (payload, sequence) => {
    microseconds.push((performance.now() - (sentAt[sequence] ?? Number.NaN)) * 1_000)
    arrivals.take(payload, sequence)
  })
  const publisher = await contender.connectPublisher(url, orders)
  const publishSteadily = async (events: number, perSecond: number): Promise<void> => {
    microseconds = []
    await steadily(events, perSecond, async () => {
      sentAt.push(performance.now())
      await publishOne(publisher, sentAt.length - 1)
    })
    await arrivals.count.until(sentAt.length - 1)
  }
  return {
    warmUp: async () => await publishSteadily(count * WARM_UP, PER_SECOND * 10),
    measure: async () => {
      globalThis.gc?.()
      await publishSteadily(count, PER_SECOND)
      arrivals.assertComplete(sentAt.length - 1)
      const sorted = microseconds.toSorted((a, b) => a - b)
      return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) }
    },
  }
}

async function publishOne(publisher: Publisher, sequence: number): Promise<void> {
  const message = orders.message(sequence)
  if (publisher.kind === 'confirms') await publisher.publish(message)
  else if (!publisher.emit(message)) await publisher.ready()
}

/** Starts calls at an even pace, never two in one turn of the event loop; resolves when all have ended. */
async function steadily(
  times: number,
  perSecond: number,
  call: () => Promise<void>,
): Promise<void> {
  const start = performance.now()
  const calls: Promise<void>[] = []
  for (let i = 0; i < times; i++) {
    const dueInMs = start + (i * 1_000) / perSecond - performance.now()
    if (dueInMs > 0) await sleep(dueInMs)
    else await nextTurn()
    calls.push(call())
  }
  await Promise.all(calls)
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
