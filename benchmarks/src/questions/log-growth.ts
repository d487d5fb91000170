/** Does a publish stay as cheap when the hub's log holds a million events as when it holds a thousand? */
import { loadContender } from '../contenders/catalogue.ts'
import type { Finding, Metric, Sample } from '../report/finding.ts'
import { alternate, type Case } from '../run/alternate.ts'
import { withBroker, withClient, type RunningBroker } from '../run/job.ts'
import type { Plan } from '../run/plan.ts'
import type { Size } from '../run/size.ts'
import { Count } from '../run/count.ts'
import { orders } from '../workload/orders.ts'
import type { OpenOrder, QuestionClient } from './order.ts'
import { Pace } from './pace.ts'

const CONTENDER = 'bus'
const NO_SUBSCRIBERS = 0
const SIZES: Readonly<Record<Size, readonly number[]>> = Object.freeze({
  full: [1_000, 10_000, 100_000, 1_000_000],
  quick: [1_000, 10_000, 100_000],
  smoke: [1_000, 2_000],
})
const PUBLISHES: Readonly<Record<Size, number>> = Object.freeze({
  full: 100_000,
  quick: 50_000,
  smoke: 1_000,
})

const METRICS: readonly Metric[] = Object.freeze<Metric[]>([
  { key: 'hubCpu', label: 'hub CPU µs/publish', digits: 2, better: 'lower' },
  { key: 'perSecond', label: 'k publishes/s', divisor: 1_000, digits: 1, better: 'higher' },
])

/** A log that is full, without subscribers: each publish appends one event, and the oldest leaves. */
export async function askLogGrowth(plan: Plan): Promise<Finding[]> {
  const cases = SIZES[plan.size].map((events): Case => ({
    name: `${events.toLocaleString('en-US')} events`,
    note: '',
    run: async () => await runWith(events, plan.size),
  }))
  return [
    {
      name: 'log-growth',
      title: 'Cost of a publish by the number of events in the hub’s log',
      metrics: METRICS,
      reference: cases[0]?.name,
      rows: await alternate(cases, plan, 'log growth'),
    },
  ]
}

async function runWith(events: number, size: Size): Promise<Sample> {
  const work = async ({ url, collect, usage }: RunningBroker): Promise<Sample> => {
    const count = PUBLISHES[size]
    const order: OpenOrder = {
      question: 'log-growth',
      contender: CONTENDER,
      url,
      workload: 'orders',
      count,
    }
    return await withClient(order, async (step) => {
      // The smallest hub is to be as warm as the largest.
      for (let filled = 0; filled < Math.max(events, 2 * count); filled += count) {
        await step('publish')
      }
      await collect()
      const before = await usage()
      const seconds = await step<number>('publish')
      const after = await usage()
      const cpuMs = after.cpuMs - before.cpuMs
      return { hubCpu: (cpuMs * 1_000) / count, perSecond: count / seconds }
    })
  }
  return await withBroker(CONTENDER, work, { keep: events })
}

/** A publisher alone, which waits for its confirmations. */
export async function openLogGrowth(order: OpenOrder): Promise<QuestionClient> {
  const contender = await loadContender(order.contender)
  const publisher = await contender.connectPublisher(order.url, orders)
  const pace = new Pace(publisher, orders, new Count('arrived'), NO_SUBSCRIBERS)
  return {
    publish: async () => {
      const start = performance.now()
      await pace.publish(order.count)
      return (performance.now() - start) / 1_000
    },
  }
}
