/** Runs the suite without a test runner. */
import { CATALOGUE } from '../cases/index.ts'
import type { ConformanceOptions, ConformanceReport } from '../medium.ts'
import { Plan } from './plan.ts'

/** What {@link runCases} is told; variants and the hand-over of the report are the caller's business. */
export type RunCasesOptions = Omit<ConformanceOptions, 'variants' | 'onReport'>

/**
 * Runs the cases one after the other on the medium of the options, and reports how each ended. Rejects only where the
 * medium cannot be made: a transport that keeps no promise is a report too.
 *
 * @example
 * ```ts
 * import { runCases, type Medium } from '@bus/testing/conformance'
 * import { memoryMedium, memoryTransport } from '@bus/core/memory'
 *
 * const medium = async (): Promise<Medium> => {
 *   const shared = memoryMedium()
 *   return { transport: () => memoryTransport({ medium: shared }), stop: async () => {} }
 * }
 * const report = await runCases({ name: 'memory', medium, only: ['A1'] })
 * console.log(report.cases[0]?.status)
 * ```
 */
export async function runCases(options: RunCasesOptions): Promise<ConformanceReport> {
  const plan = await Plan.make({ ...options, variant: '' }, CATALOGUE)
  for (const { spec, skip } of plan.cases) if (skip === undefined) await plan.run(spec)
  return plan.report()
}
