/** How much memory does the broker need for a subscriber that gets nothing, at 5,000 connections? */
import { loadContender, referenceAmong, withCrowds, type Entry } from '../contenders/catalogue.ts'
import type { Finding, Metric, Sample } from '../report/finding.ts'
import { alternate, casesOf } from '../run/alternate.ts'
import { withBroker, withClient } from '../run/job.ts'
import type { Plan } from '../run/plan.ts'
import { ORDER_MARK, orders } from '../workload/orders.ts'
import { Crowd } from '../wire/crowd.ts'
import type { OpenOrder, QuestionClient } from './order.ts'

const CONNECTIONS = { full: 5_000, quick: 2_000, smoke: 300 } as const
/** Connected before the first look, so that what the first ones cost once is not counted. */
const FIRST = 200

const METRICS: readonly Metric[] = Object.freeze<Metric[]>([
  { key: 'bytes', label: 'KiB per subscriber', divisor: 1_024, digits: 1, better: 'lower' },
])

/** Resident memory, after a garbage collection where the broker runs on Node. */
export async function askIdleMemory(plan: Plan): Promise<Finding[]> {
  const count = CONNECTIONS[plan.size]
  const entries = withCrowds(plan.entries)
  const cases = casesOf(entries, async (entry) => await runContender(entry, count))
  return [
    {
      name: 'idle-memory',
      title: `Broker's memory per idle subscriber at ${count.toLocaleString('en-US')} connections`,
      metrics: METRICS,
      reference: referenceAmong(entries),
      rows: await alternate(cases, plan, 'idle memory'),
    },
  ]
}

async function runContender({ name }: Entry, count: number): Promise<Sample> {
  return await withBroker(name, async ({ url, collect, usage }) => {
    const order: OpenOrder = {
      question: 'idle-memory',
      contender: name,
      url,
      workload: 'orders',
      count,
    }
    return await withClient(order, async (step) => {
      await step('connectFirst')
      await collect()
      const before = await usage()
      await step('connectAll')
      await collect()
      const after = await usage()
      await step('verify')
      return { bytes: (after.rssBytes - before.rssBytes) / (count - FIRST) }
    })
  })
}

/** Connects a crowd, and shows at the end that each of it was subscribed. */
export async function openIdleMemory(order: OpenOrder): Promise<QuestionClient> {
  const { url, count } = order
  const contender = await loadContender(order.contender)
  const publisher = await contender.connectPublisher(url, orders)
  const crowd = await Crowd.gather(contender, url, 0, ORDER_MARK)
  return {
    connectFirst: async () => await crowd.growTo(FIRST),
    connectAll: async () => await crowd.growTo(count),
    verify: async () => {
      const message = orders.message(1)
      if (publisher.kind === 'emits') publisher.emit(message)
      else await publisher.publish(message)
      await crowd.deliveries.until(count)
      crowd.assertEach(1)
    },
  }
}
