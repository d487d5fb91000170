/** Runs one case on a medium of its own and judges it. */
import assert from 'node:assert/strict'
import type { Capabilities } from '@bus/core'
import type { AnyCase } from '../case.ts'
import { CaseWorld } from '../world/world.ts'
import { LeakWatch } from '../case-tools/leaks.ts'
import type { CaseOutcome, Medium } from '../medium.ts'
import { type CaseTiming, within } from '../world/waiting.ts'

/** Milliseconds that a case may take which does not say. */
const CASE_LIMIT_MS = 20_000

/** What all cases of a run have in common. */
export interface Run {
  readonly medium: () => Promise<Medium>
  readonly capabilities: Capabilities
  readonly seed: number
  readonly timing: CaseTiming
  readonly effort: number
}

/** How a case ended; `failure` is what to throw under a test runner. */
export interface CaseResult {
  readonly outcome: CaseOutcome
  readonly failure?: Error
}

/** A guarantee that was not kept. Its message ends with the seed; its `cause` is what the case threw. */
export class ConformanceError extends Error {
  constructor(message: string, options: ErrorOptions) {
    super(message, options)
    this.name = 'ConformanceError'
  }
}

/** Milliseconds that the case may take. */
export function limitOf({ limitMs = CASE_LIMIT_MS }: AnyCase): number {
  return limitMs
}

/** Never rejects: what goes wrong is the outcome. */
export async function runCase(spec: AnyCase, run: Run): Promise<CaseResult> {
  const started = performance.now()
  try {
    await tryCase(spec, run)
    return { outcome: { status: 'passed', ms: elapsed(started) } }
  } catch (thrown) {
    const said = thrown instanceof Error ? thrown.message : String(thrown)
    const message = `${spec.id}: ${said}\nseed=${run.seed}`
    const failure = new ConformanceError(message, { cause: thrown })
    const status = spec.level === 'MUST' || spec.level === 'STOCHASTIC' ? 'failed' : 'warned'
    return { outcome: { status, ms: elapsed(started), error: message }, failure }
  }
}

/** The case's own failure comes before that of its end: the end of what failed half-way says little. */
async function tryCase(spec: AnyCase, run: Run): Promise<void> {
  using leaks = new LeakWatch()
  const world = new CaseWorld({ ...run, caseId: spec.id, medium: await run.medium() })
  let thrown: { readonly error: unknown } | undefined
  try {
    await within(spec.run(world), limitOf(spec), 'the case to end')
  } catch (error) {
    thrown = { error }
  }
  try {
    await world.close()
    await leaks.expectNothingLeft(world.waiting, world.clock)
  } catch (error) {
    thrown ??= { error }
  }
  if (thrown !== undefined) throw asError(thrown.error)
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error
    ? thrown
    : new assert.AssertionError({ message: `The case threw ${String(thrown)}` })
}

function elapsed(started: number): number {
  return Math.round(performance.now() - started)
}
