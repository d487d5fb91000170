/** Does a publish stay as cheap while the hub's log grows from a thousand events to a million? */
import type { Finding } from '../report/finding.ts'
import type { Plan } from '../run/plan.ts'

const SIZES = [1_000, 10_000, 100_000, 1_000_000] as const

/** The hub of the plain wire keeps no log, so there is nothing to measure yet. */
export async function askLogGrowth(_plan: Plan): Promise<Finding[]> {
  const problem = 'missing: no hub here keeps a log'
  return await Promise.resolve([
    {
      name: 'log-growth',
      title: 'Cost of a publish as the hub’s log grows',
      metrics: [{ key: 'cost', label: 'µs per publish', digits: 1, better: 'lower' }],
      rows: SIZES.map((size) => ({
        name: `${size.toLocaleString('en-US')} events`,
        note: '',
        problem,
        samples: [],
      })),
    },
  ])
}
