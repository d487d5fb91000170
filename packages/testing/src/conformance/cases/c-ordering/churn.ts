/** Subscribing, unsubscribing and publishing at random, compared with a reference after each step. */
import type { ConformanceCase } from '../../case.ts'
import { ChurnRun } from './churn-run.ts'

/** Steps, and operations of each. Where nothing is in order each step ends with a quiet period: fewer of them, with more in each. */
const MANY_SMALL = { steps: 100, operations: 20 }
const FEW_LARGE = { steps: 25, operations: 80 }

export const churn: ConformanceCase = {
  id: 'C6',
  level: 'MUST',
  title:
    'two thousand random subscribes, unsubscribes and publishes deliver what a reference model delivers',
  limitMs: 60_000,
  async run(world) {
    const isOrdered = world.capabilities.ordering !== 'none'
    const { steps, operations } = isOrdered ? MANY_SMALL : FEW_LARGE
    const run = new ChurnRun(world, operations)
    await run.start()
    for (let step = 1; step <= Math.ceil(steps * world.effort); step++) await run.step(step)
  },
}
