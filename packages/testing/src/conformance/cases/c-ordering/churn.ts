/** Subscribing, unsubscribing and publishing at random, compared with a reference after each step. */
import type { ConformanceCase } from '../../case.ts'
import { ChurnRun } from './churn-run.ts'

const STEPS = 100

export const churn: ConformanceCase = {
  id: 'C6',
  level: 'MUST',
  title:
    'two thousand subscribes, unsubscribes and publishes at random deliver what a reference says',
  limitMs: 60_000,
  async run(world) {
    const run = new ChurnRun(world)
    await run.start()
    for (let step = 1; step <= Math.ceil(STEPS * world.effort); step++) await run.step(step)
  },
}
