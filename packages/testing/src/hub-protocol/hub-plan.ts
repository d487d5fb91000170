/** The plan of a run: each case, to run or with the reason why not, and what becomes of it. */
import type { CaseOutcome, ReportedCase } from '../conformance/medium.ts'
import { within } from '../conformance/world/waiting.ts'
import { HUB_CATALOGUE } from './cases/index.ts'
import type { HubCase, HubCaseGroup } from './hub-case.ts'
import { HubWorld } from './hub-world.ts'
import { checkHubOptions, type HubProtocolOptions, type HubProtocolReport } from './options.ts'

/** Milliseconds that a case may take. */
export const CASE_LIMIT_MS = 30_000

/** A rule that was not kept. Its `cause` is what the case threw. */
export class HubProtocolError extends Error {
  constructor(message: string, options: ErrorOptions) {
    super(message, options)
    this.name = 'HubProtocolError'
  }
}

/** Runs its cases one by one and keeps their outcomes. */
export class HubPlan {
  /** The groups that have a case to report. */
  readonly groups: readonly HubCaseGroup[]
  readonly #options: HubProtocolOptions
  readonly #outcomes = new Map<string, ReportedCase>()

  constructor(options: HubProtocolOptions, catalogue: readonly HubCaseGroup[] = HUB_CATALOGUE) {
    checkHubOptions(options)
    this.#options = options
    const isWanted = ({ id }: HubCase): boolean => options.only?.includes(id) ?? true
    this.groups = catalogue
      .map(({ title, cases }) => ({ title, cases: cases.filter(isWanted) }))
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
      const said = thrown instanceof Error ? thrown.message : String(thrown)
      const failure = new HubProtocolError(`${spec.id}: ${said}`, { cause: thrown })
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
