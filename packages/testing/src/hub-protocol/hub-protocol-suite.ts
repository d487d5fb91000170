/** Runs the rules of `bus.v1` against a hub: under a test runner, or without one. */
import type { HubCase, HubCaseGroup } from './hub-case.ts'
import { ACCESS } from './cases/access.ts'
import { ACKNOWLEDGING, KEEPING } from './cases/acknowledging.ts'
import { BAD_LINES, BAD_MESSAGES } from './cases/malformed.ts'
import { CONFIRMING } from './cases/confirming.ts'
import { CURSORS } from './cases/cursors.ts'
import { DELIVERY } from './cases/delivery.ts'
import { HANDSHAKE } from './cases/handshake.ts'
import { HELLO } from './cases/hello.ts'
import { LIVENESS } from './cases/liveness.ts'
import { PLAIN_WIRE } from './cases/plain-wire.ts'
import { PUBLISHING } from './cases/publishing.ts'
import { RESUMING } from './cases/resuming.ts'
import { SUBSCRIBING } from './cases/subscribing.ts'
import { TAKEOVER } from './cases/takeover.ts'
import type { TestRunner } from '../conformance/run/transport-conformance.ts'
import { checkHubOptions, type HubProtocolOptions, type HubProtocolReport } from './options.ts'
import type { CaseOutcome, ReportedCase } from '../conformance/medium.ts'
import { within } from '../conformance/world/waiting.ts'
import { HubWorld } from './hub-world.ts'

/** Every group of cases. */
const HUB_CATALOGUE: readonly HubCaseGroup[] = Object.freeze([
  HANDSHAKE,
  HELLO,
  PUBLISHING,
  CONFIRMING,
  DELIVERY,
  SUBSCRIBING,
  ACKNOWLEDGING,
  RESUMING,
  CURSORS,
  KEEPING,
  TAKEOVER,
  BAD_LINES,
  BAD_MESSAGES,
  ACCESS,
  LIVENESS,
  PLAIN_WIRE,
])

/** Milliseconds that a runner allows beside the case itself. */
const AROUND_MS = 5_000

/**
 * Registers the rules of `bus.v1` as tests against any hub that listens already: only its URL is required. The suite sends literal
 * lines and uses types of its own. A case with further requirements is registered as skipped, with what it requires.
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
export function hubProtocolSuite(runner: TestRunner, options: HubProtocolOptions): void {
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
 * Runs the cases one after the other and reports how each ended. Does not reject because of a hub that breaks a rule: that is in the
 * report.
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

function register({ it }: TestRunner, plan: HubPlan, spec: HubCase): void {
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

/** Milliseconds that a case may take. */
const CASE_LIMIT_MS = 30_000

/** A rule that was not kept. Its `cause` is what the case threw. */
export class HubProtocolError extends Error {
  constructor(message: string, options: ErrorOptions) {
    super(message, options)
    this.name = 'HubProtocolError'
  }
}

/** Runs its cases one by one and keeps their outcomes. */
class HubPlan {
  /** The groups that have a case to report. */
  readonly groups: readonly HubCaseGroup[]
  readonly #options: HubProtocolOptions
  readonly #outcomes = new Map<string, ReportedCase>()

  constructor(options: HubProtocolOptions, catalogue: readonly HubCaseGroup[] = HUB_CATALOGUE) {
    checkHubOptions(options)
    this.#options = options
    const isSelected = ({ id }: HubCase): boolean => options.only?.includes(id) ?? true
    this.groups = catalogue
      .map(({ title, cases }) => ({ title, cases: cases.filter(isSelected) }))
      .filter(({ cases }) => cases.length > 0)
    for (const spec of this.groups.flatMap(({ cases }) => cases)) {
      const reason = this.reasonToSkip(spec)
      if (reason !== undefined) this.#keep(spec, { status: 'not-exercised', reason })
    }
  }

  /** Why a case does not run; `undefined` where it does. */
  reasonToSkip({ needs }: HubCase): string | undefined {
    return needs === undefined || needs.isMet(this.#options) ? undefined : needs.reason
  }

  /** @returns what to throw where a `MUST` was not kept */
  async run(spec: HubCase): Promise<HubProtocolError | undefined> {
    const started = performance.now()
    const world = new HubWorld(this.#options, spec.id)
    const elapsed = (): number => Math.round(performance.now() - started)
    try {
      await within(spec.run(world), CASE_LIMIT_MS, 'the case to end')
      this.#keep(spec, { status: 'passed', ms: elapsed() })
      return undefined
    } catch (thrown) {
      const message = thrown instanceof Error ? thrown.message : String(thrown)
      const failure = new HubProtocolError(`${spec.id}: ${message}`, { cause: thrown })
      const status = spec.level === 'MUST' ? 'failed' : 'warned'
      this.#keep(spec, { status, ms: elapsed(), error: failure.message })
      return status === 'failed' ? failure : undefined
    } finally {
      await world.close()
    }
  }

  /** What is known by now, in the order of the numbers. */
  report(): HubProtocolReport {
    const numberOf = ({ id }: ReportedCase): number => Number(id.slice(1))
    const cases = [...this.#outcomes.values()]
    return {
      name: this.#options.name,
      cases: cases.toSorted((a, b) => numberOf(a) - numberOf(b)),
    }
  }

  #keep({ id, level, title }: HubCase, outcome: CaseOutcome): void {
    this.#outcomes.set(id, { id, level, title, ...outcome })
  }
}
