/** Registers the suite with a test runner. */
import type { AnyCase } from '../case.ts'
import { CATALOGUE } from '../cases/index.ts'
import type { ConformanceOptions } from '../medium.ts'
import { Plan } from './plan.ts'
import { limitOf } from './run-case.ts'
import type { Runner } from './runner.ts'

/** Milliseconds that a runner allows for the medium to start, and for everything to end, beside the case itself. */
const AROUND_MS = 20_000

/**
 * Registers one group of tests for the medium, and one for each variant. Await it at the top level of a test file: it
 * asks each medium first which cases concern it. Those that do not are registered as skipped, with the reason.
 *
 * @example
 * ```ts
 * import { describe, it } from 'node:test'
 * import { memoryMedium, memoryTransport } from '@bus/core/memory'
 * import { transportConformance } from '@bus/testing/conformance'
 *
 * await transportConformance({ describe, it }, {
 *   name: 'memory',
 *   medium: async () => {
 *     const medium = memoryMedium()
 *     return {
 *       transport: ({ clock, queue }) =>
 *         memoryTransport({ medium, ...(clock && { clock }), ...(queue && { queue }) }),
 *       stop: async () => {},
 *     }
 *   },
 * })
 * ```
 */
export async function transportConformance(
  runner: Runner,
  options: ConformanceOptions,
): Promise<void> {
  const media = Object.entries({ '': options.medium, ...options.variants })
  for (const [variant, medium] of media) {
    const plan = await Plan.make({ ...options, variant, medium }, CATALOGUE)
    runner.describe(plan.title, () => register(runner, plan, options.onReport))
  }
}

function register({ it }: Runner, plan: Plan, onReport: ConformanceOptions['onReport']): void {
  for (const { spec, skip } of plan.cases) {
    if (skip === undefined) it(titleOf(spec), () => pass(plan, spec), limitOf(spec) + AROUND_MS)
    else if ('reason' in skip) it.skip(`${titleOf(spec)} (${skip.reason})`, async () => {})
  }
  if (onReport !== undefined) {
    it('the report is handed over', async () => {
      await onReport(plan.report())
    })
  }
}

async function pass(plan: Plan, spec: AnyCase): Promise<void> {
  const { outcome, failure } = await plan.run(spec)
  if (outcome.status === 'failed') throw failure
}

function titleOf({ id, level, title }: AnyCase): string {
  return `${id} ${level} ${title}`
}
