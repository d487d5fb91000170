/** Runs the suite: under a test runner, or without one. */
import type { AnyCase } from '../case.ts'
import { CATALOGUE } from '../cases/catalogue.ts'
import type { ConformanceOptions, ConformanceReport } from '../medium.ts'
import { Plan } from './plan.ts'
import { limitOf } from './run-case.ts'

/** `describe` and `it` of vitest, `node:test`, jest or bun. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown
  /** `timeoutMs`: how long it may take; runners that know no such argument have no limit or one of their own. */
  readonly it: ((name: string, body: () => Promise<void>, timeoutMs?: number) => unknown) & {
    readonly skip: (name: string, body: () => Promise<void>) => unknown
  }
}

/** Milliseconds that a runner allows for the medium to start, and for everything to end, beside the case itself. */
const AROUND_MS = 20_000

/**
 * Registers one group of tests for the medium, and one for each variant. Await it at the top level of a test file: it
 * checks for each medium first which cases concern it. Those that do not are registered as skipped, with the reason.
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
  runner: TestRunner,
  options: ConformanceOptions,
): Promise<void> {
  const media = Object.entries({ '': options.medium, ...options.variants })
  for (const [variant, medium] of media) {
    const plan = await Plan.make({ ...options, variant, medium }, CATALOGUE)
    runner.describe(plan.title, () => register(runner, plan, options.onReport))
  }
}

function register({ it }: TestRunner, plan: Plan, onReport: ConformanceOptions['onReport']): void {
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

/** The options of {@link runCases}: those of the suite, but for variants and `onReport`. */
export type RunCasesOptions = Omit<ConformanceOptions, 'variants' | 'onReport'>

/**
 * Runs the cases one after the other on the medium of the options, and reports how each ended. Rejects only where the
 * medium cannot be made: a transport that fails cases gets a report too.
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
