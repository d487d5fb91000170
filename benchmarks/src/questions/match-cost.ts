/** Does finding the patterns that match a type stay as cheap with 100,000 patterns as with 100? */
import { PatternIndex } from '@bus/core/kit'
import type { Finding, Metric, Sample } from '../report/finding.ts'
import { alternate, type Case } from '../run/alternate.ts'
import { withClient } from '../run/job.ts'
import type { Plan } from '../run/plan.ts'
import type { OpenOrder, QuestionClient } from './order.ts'

const SIZES = [100, 1_000, 10_000, 100_000] as const
/** More than the index remembers, so that no answer comes from its memory. */
const TYPES = 8_192
const MATCHES = { full: 2_000_000, quick: 500_000, smoke: 10_000 } as const

const METRICS: readonly Metric[] = Object.freeze<Metric[]>([
  { key: 'fresh', label: 'ns per new type', digits: 0, better: 'lower' },
  { key: 'repeated', label: 'ns per known type', digits: 0, better: 'lower' },
])

/** Each type matches exactly one pattern, whatever their number. */
export async function askMatchCost(plan: Plan): Promise<Finding[]> {
  const cases = SIZES.map((patterns): Case => ({
    name: `${patterns.toLocaleString('en-US')} patterns`,
    note: '',
    run: async () => await runWith(patterns, plan),
  }))
  return [
    {
      name: 'match-cost',
      title: 'Cost of finding the matching pattern',
      metrics: METRICS,
      reference: cases[0]?.name,
      rows: await alternate(cases, plan, 'match cost'),
    },
  ]
}

async function runWith(patterns: number, plan: Plan): Promise<Sample> {
  const order: OpenOrder = {
    question: 'match-cost',
    contender: String(MATCHES[plan.size]),
    url: '',
    workload: 'orders',
    count: patterns,
  }
  return await withClient(order, async (step) => await step<Sample>('measure'))
}

/** The index in a process of its own, as each of its sizes finds it. */
export function openMatchCost({ contender, count }: OpenOrder): QuestionClient {
  const calls = Number(contender)
  const index = new PatternIndex<number>()
  for (let i = 0; i < count; i++) index.add(patternOf(i), i)
  const fresh = Array.from({ length: TYPES }, (_, i) => typeOf((i * 7_919) % count, i))
  const repeated = fresh.slice(0, 100)
  return {
    measure: (): Sample => {
      cost(index, fresh, calls / 4)
      cost(index, repeated, calls / 4)
      return { fresh: cost(index, fresh, calls), repeated: cost(index, repeated, calls) }
    },
  }
}

/** Nanoseconds a match. */
function cost(index: PatternIndex<number>, types: readonly string[], calls: number): number {
  let found = 0
  const start = performance.now()
  for (let i = 0; i < calls; i++) found += index.match(types[i % types.length] ?? '').length
  const ms = performance.now() - start
  if (found !== calls) throw new Error(`Of ${calls} types ${found} matched`)
  return (ms * 1e6) / calls
}

/** Four shapes of patterns in turn, each for a tenant of its own. */
function patternOf(tenant: number): string {
  const shapes = [`t${tenant}.order.*`, `t${tenant}.>`, `t${tenant}.*.done`, `*.t${tenant}.audit`]
  return shapes[tenant % shapes.length] ?? ''
}

/** A type that only the tenant's pattern matches. */
function typeOf(tenant: number, n: number): string {
  const shapes = [
    `t${tenant}.order.e${n}`,
    `t${tenant}.order.e${n}`,
    `t${tenant}.e${n}.done`,
    `e${n}.t${tenant}.audit`,
  ]
  return shapes[tenant % shapes.length] ?? ''
}
