/** How many events a second go from publisher to handler, and what share of the JSON floor is that? */
import { loadContender, type Entry } from '../contenders/catalogue.ts'
import { Arrivals } from '../workload/arrivals.ts'
import { loadWorkload } from '../workload/load-workload.ts'
import { WORKLOAD_NAMES, type WorkloadName } from '../workload/workload.ts'
import { alternate, casesOf, type Case } from '../run/alternate.ts'
import { withBroker, withClient, type Step } from '../run/job.ts'
import type { Plan } from '../run/plan.ts'
import type { Finding, Metric, Sample } from '../report/finding.ts'
import type { OpenOrder, QuestionClient } from './order.ts'
import { FLOOR, floorOrder } from './json-floor.ts'
import { Pace } from './pace.ts'

const COUNTS = {
  orders: { full: 200_000, quick: 40_000, smoke: 2_000 },
  github: { full: 10_000, quick: 2_000, smoke: 400 },
} as const

const TITLES = {
  'at-most-once': 'at most once, nobody confirms',
  'at-least-once': 'at least once, the broker confirms every event',
} as const

/** What the client measured. */
interface Measured {
  readonly seconds: number
  readonly cpuMs: number
}

/** One finding for each workload and guarantee. */
export async function askThroughput(plan: Plan): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const workload of WORKLOAD_NAMES) findings.push(...(await askWith(workload, plan)))
  return findings
}

async function askWith(workload: WorkloadName, plan: Plan): Promise<Finding[]> {
  const count = COUNTS[workload][plan.size]
  const floor: Case = {
    name: FLOOR,
    note: 'one thread: create, stringify, parse, read',
    run: async () => await withClient(floorOrder(workload, count), runFloor),
  }
  const contenders = casesOf(plan.entries, async (entry) => {
    return await runContender(entry, workload, count)
  })
  const rows = await alternate([floor, ...contenders], plan, `throughput ${workload}`)
  return (['at-most-once', 'at-least-once'] as const).flatMap((guarantee) => {
    const names = namesOf(plan, guarantee)
    if (names.size === 0) return []
    return {
      name: `throughput-${workload}-${guarantee}`,
      title: `Throughput, ${describe(workload)}: ${TITLES[guarantee]}`,
      metrics: METRICS,
      reference: plan.reference(guarantee),
      rows: rows.filter(({ name }) => name === FLOOR || names.has(name)),
    }
  })
}

function namesOf({ entries }: Plan, guarantee: Entry['guarantee']): ReadonlySet<string> {
  return new Set(entries.filter((one) => one.guarantee === guarantee).map(({ name }) => name))
}

const METRICS: readonly Metric[] = Object.freeze<Metric[]>([
  { key: 'perSecond', label: 'k events/s', divisor: 1_000, digits: 1, better: 'higher' },
  { key: 'cpu', label: 'client CPU µs/event', divisor: 1, digits: 1, better: 'lower' },
  { key: 'perSecond', label: 'of floor', relativeTo: FLOOR, digits: 3, better: 'higher' },
])

function describe(workload: WorkloadName): string {
  const { meanBytes } = loadWorkload(workload)
  return workload === 'orders'
    ? `orders of ${meanBytes} bytes`
    : `GitHub deliveries of ${(meanBytes / 1_000).toFixed(1)} kB on average`
}

async function runFloor(step: Step): Promise<Sample> {
  return await step<Sample>('measure')
}

async function runContender(
  { name }: Entry,
  workload: WorkloadName,
  count: number,
): Promise<Sample> {
  return await withBroker(name, async ({ url }) => {
    const order: OpenOrder = { question: 'throughput', contender: name, url, workload, count }
    return await withClient(order, async (step) => {
      await step('warmUp')
      const { seconds, cpuMs } = await step<Measured>('measure')
      return { perSecond: count / seconds, cpu: (cpuMs * 1_000) / count }
    })
  })
}

/** Publisher and subscriber in one process, each with a connection of its own. */
export async function openThroughput(order: OpenOrder): Promise<QuestionClient> {
  const { url, count } = order
  const contender = await loadContender(order.contender)
  const workload = loadWorkload(order.workload)
  const arrivals = new Arrivals(workload)
  await contender.connectSubscriber(url, workload, arrivals.take)
  const publisher = await contender.connectPublisher(url, workload)
  const pace = new Pace(publisher, workload, arrivals.count)
  const publishAndReceive = async (events: number): Promise<Measured> => {
    const before = process.cpuUsage()
    const start = performance.now()
    await pace.publish(events)
    const seconds = (performance.now() - start) / 1_000
    const { user, system } = process.cpuUsage(before)
    return { seconds, cpuMs: (user + system) / 1_000 }
  }
  return {
    warmUp: async () => void (await publishAndReceive(Math.ceil(count / 4))),
    measure: async () => {
      globalThis.gc?.()
      const measured = await publishAndReceive(count)
      arrivals.assertComplete(pace.published)
      return measured
    },
  }
}
