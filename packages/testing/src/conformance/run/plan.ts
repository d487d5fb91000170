/** The plan of one variant: which cases of the catalogue run, why the others do not, and how each ended. */
import type { Capabilities } from '@bus/core'
import type { AnyCase, CaseGroup } from '../case.ts'
import type {
  CaseOutcome,
  ConformanceOptions,
  ConformanceReport,
  FaultName,
  Medium,
  ReportedCase,
} from '../medium.ts'
import { type Run, runCase, type CaseResult } from './run-case.ts'
import { seededRandom } from '../../chaos/seeded-random.ts'

const EXPECT_MS = 2_000
const QUIET_MS = 150

/** A case that is to run. */
interface Planned {
  readonly spec: AnyCase
  /** Why it does not run, if it does not. */
  readonly skip: CaseOutcome | undefined
}

/** What a plan is made from. */
type PlanOptions = Pick<ConformanceOptions, 'name' | 'only' | 'seed' | 'timing' | 'effort'> & {
  readonly variant: string
  readonly medium: () => Promise<Medium>
}

/** Runs its cases one by one and keeps their outcomes. */
export class Plan {
  readonly cases: readonly Planned[]
  readonly #name: string
  readonly #variant: string
  readonly #run: Run
  readonly #outcomes = new Map<string, ReportedCase>()

  private constructor(options: PlanOptions, groups: readonly CaseGroup[], found: Probe) {
    this.#name = options.name
    this.#variant = options.variant
    this.#run = {
      medium: options.medium,
      capabilities: found.capabilities,
      seed: options.seed ?? Math.floor(Math.random() * 2 ** 31),
      timing: {
        expectMs: options.timing?.expectMs ?? EXPECT_MS,
        quietMs: options.timing?.quietMs ?? QUIET_MS,
      },
      effort: options.effort ?? 1,
    }
    const isSelected = ({ id }: { readonly id: string }): boolean =>
      options.only === undefined || options.only.includes(id)
    const selected = groups.flatMap((group) => group.cases).filter(isSelected)
    this.cases = selected.map((spec) => ({ spec, skip: reasonToSkip(spec, found) }))
    for (const { spec, skip } of this.cases) if (skip !== undefined) this.#keep(spec, skip)
    for (const spec of groups.flatMap((group) => group.reserved).filter(isSelected)) {
      this.#keep(spec, { status: 'reserved', reason: spec.reason })
    }
  }

  /** Makes a medium once, to see which cases concern the transport. */
  static async make(options: PlanOptions, groups: readonly CaseGroup[]): Promise<Plan> {
    return new Plan(options, groups, await probe(options.medium))
  }

  /** The title of its group of tests. */
  get title(): string {
    return this.#variant === '' ? this.#name : `${this.#name} · ${this.#variant}`
  }

  async run(spec: AnyCase): Promise<CaseResult> {
    const verdict = await runCase(spec, this.#run)
    this.#keep(spec, verdict.outcome)
    return verdict
  }

  /** What is known by now, in the order of letters and numbers. */
  report(): ConformanceReport {
    return {
      name: this.#name,
      variant: this.#variant,
      seed: this.#run.seed,
      capabilities: this.#run.capabilities,
      cases: [...this.#outcomes.values()].toSorted(byId),
    }
  }

  #keep({ id, level, title }: Omit<ReportedCase, 'status'>, outcome: CaseOutcome): void {
    this.#outcomes.set(id, { id, level, title, ...outcome })
  }
}

function byId(a: ReportedCase, b: ReportedCase): number {
  return a.id.localeCompare(b.id, 'en', { numeric: true })
}

/** What decides which cases run. */
interface Probe {
  /** Those of a transport that is connected: what it promises can depend on the other side. */
  readonly capabilities: Capabilities
  readonly faults: ReadonlySet<FaultName>
}

/** Makes a medium and a transport on it, and ends both. */
async function probe(makeMedium: () => Promise<Medium>): Promise<Probe> {
  const medium = await makeMedium()
  try {
    const transport = medium.transport({ name: 'probe', random: seededRandom(0) })
    try {
      await transport.connect()
      return { capabilities: transport.capabilities, faults: faultsOf(medium) }
    } finally {
      await transport.close()
    }
  } finally {
    await medium.stop()
  }
}

/** Why the case is left out, if it is. */
function reasonToSkip(spec: AnyCase, found: Probe): CaseOutcome | undefined {
  if (spec.needs !== undefined && !spec.needs.isMet(found.capabilities)) {
    return { status: 'unclaimed', reason: `not promised: ${spec.needs.capability}` }
  }
  const missing = (spec.faults ?? []).filter((name) => !found.faults.has(name))
  if (missing.length === 0) return undefined
  return { status: 'not-exercised', reason: `the medium cannot ${missing.join(', ')}` }
}

function faultsOf({ faults = {} }: Medium): ReadonlySet<FaultName> {
  const names = Object.keys(faults) as FaultName[]
  return new Set(names.filter((name) => faults[name] !== undefined))
}
