/** How fast does one publisher's event reach 200 subscribers, and what does that cost the broker? */
import { loadContender, referenceAmong, withCrowds, type Entry } from '../contenders/catalogue.ts'
import type { Finding, Metric, Sample } from '../report/finding.ts'
import { alternate, casesOf } from '../run/alternate.ts'
import { withBroker, withClient } from '../run/job.ts'
import type { Plan } from '../run/plan.ts'
import { ORDER_MARK, orders } from '../workload/orders.ts'
import { Crowd } from '../wire/crowd.ts'
import type { OpenOrder, QuestionClient } from './order.ts'
import { Pace } from './pace.ts'

const SUBSCRIBERS = 200
const EVENTS = { full: 10_000, quick: 3_000, smoke: 100 } as const

const METRICS: readonly Metric[] = Object.freeze<Metric[]>([
  { key: 'perSecond', label: 'k deliveries/s', divisor: 1_000, digits: 0, better: 'higher' },
  { key: 'brokerCpu', label: 'broker CPU s/M deliveries', digits: 2, better: 'lower' },
])

/** Subscribers count bytes over bare sockets: parsing 200 times in one process would measure that. */
export async function askFanOut(plan: Plan): Promise<Finding[]> {
  const count = EVENTS[plan.size]
  const entries = withCrowds(plan.entries)
  const cases = casesOf(entries, async (entry) => await runContender(entry, count))
  return [
    {
      name: 'fan-out',
      title: `Fan-out of orders to ${SUBSCRIBERS} subscribers that count`,
      metrics: METRICS,
      reference: referenceAmong(entries),
      rows: await alternate(cases, plan, 'fan-out'),
    },
  ]
}

async function runContender({ name }: Entry, count: number): Promise<Sample> {
  return await withBroker(name, async ({ url, usage }) => {
    const order: OpenOrder = {
      question: 'fan-out',
      contender: name,
      url,
      workload: 'orders',
      count,
    }
    return await withClient(order, async (step) => {
      await step('warmUp')
      const before = await usage()
      const seconds = await step<number>('measure')
      const after = await usage()
      const deliveries = count * SUBSCRIBERS
      const cpuSeconds = (after.cpuMs - before.cpuMs) / 1_000
      return {
        perSecond: deliveries / seconds,
        brokerCpu: (cpuSeconds * 1e6) / deliveries,
      }
    })
  })
}

/** One publisher and the crowd in one process. */
export async function openFanOut({
  contender: name,
  url,
  count,
}: OpenOrder): Promise<QuestionClient> {
  const contender = await loadContender(name)
  const crowd = await Crowd.gather(contender, url, SUBSCRIBERS, ORDER_MARK)
  const publisher = await contender.connectPublisher(url, orders)
  const pace = new Pace(publisher, orders, crowd.deliveries, SUBSCRIBERS)
  const publishAndCount = async (events: number): Promise<number> => {
    const start = performance.now()
    await pace.publish(events)
    return (performance.now() - start) / 1_000
  }
  return {
    warmUp: async () => void (await publishAndCount(Math.ceil(count / 4))),
    measure: async () => {
      const seconds = await publishAndCount(count)
      crowd.assertEach(pace.published)
      return seconds
    },
  }
}
