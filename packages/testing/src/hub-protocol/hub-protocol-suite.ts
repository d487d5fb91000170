/** Registers the suite with a test runner, or runs it without one. */
import type { Runner } from '../conformance/run/runner.ts'
import type { HubCase } from './hub-case.ts'
import { CASE_LIMIT_MS, HubPlan } from './hub-plan.ts'
import type { HubProtocolOptions, HubProtocolReport } from './options.ts'

/** Milliseconds that a runner allows beside the case itself. */
const AROUND_MS = 5_000

/**
 * Registers the rules of `bus.v1` as tests against a hub that listens already, whoever wrote it: only its URL is known. It says
 * literal lines and uses types of its own. A case that must be told more is registered as skipped, with what it needs.
 *
 * @example
 * ```ts
 * import { describe, it } from 'node:test'
 * import { hubProtocolSuite } from '@bus/testing/hub-protocol'
 *
 * hubProtocolSuite({ describe, it }, {
 *   name: 'my hub',
 *   url: 'ws://127.0.0.1:8080/events',
 *   settings: { confirm: 'hub', logEvents: 500 },
 * })
 * ```
 * @throws `ConfigError` for a bad option
 */
export function hubProtocolSuite(runner: Runner, options: HubProtocolOptions): void {
  const plan = new HubPlan(options)
  runner.describe(options.name, () => {
    for (const group of plan.groups) {
      runner.describe(group.title, () => {
        for (const spec of group.cases) register(runner, plan, spec)
      })
    }
    if (options.onReport !== undefined) {
      runner.it('the report is handed over', async () => options.onReport?.(plan.report()))
    }
  })
}

/**
 * Runs the cases one after the other and reports how each ended. Does not reject because of a hub that breaks a rule: that is a
 * report too.
 *
 * @example
 * ```ts
 * import { runHubProtocol } from '@bus/testing/hub-protocol'
 *
 * const report = await runHubProtocol({ name: 'my hub', url: 'ws://127.0.0.1:8080' })
 * for (const { id, title, status } of report.cases) console.log(id, status, title)
 * ```
 * @throws `ConfigError` for a bad option
 */
export async function runHubProtocol(options: HubProtocolOptions): Promise<HubProtocolReport> {
  const plan = new HubPlan(options)
  for (const spec of plan.groups.flatMap(({ cases }) => cases)) {
    if (plan.reasonToSkip(spec) === undefined) await plan.run(spec)
  }
  const report = plan.report()
  await options.onReport?.(report)
  return report
}

function register({ it }: Runner, plan: HubPlan, spec: HubCase): void {
  const title = `${spec.id} ${spec.level} ${spec.title}`
  const reason = plan.reasonToSkip(spec)
  if (reason !== undefined) return void it.skip(`${title} (${reason})`, async () => {})
  it(
    title,
    async () => {
      const failure = await plan.run(spec)
      if (failure !== undefined) throw failure
    },
    CASE_LIMIT_MS + AROUND_MS,
  )
}
