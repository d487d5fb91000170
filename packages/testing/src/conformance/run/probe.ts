/** Finds out what a transport promises and how its medium can be broken, before any case runs. */
import type { Capabilities } from '@bus/core'
import { seededRandom } from '../../chaos/seeded-random.ts'
import type { AnyCase } from '../case.ts'
import type { CaseOutcome, FaultName, Medium } from '../medium.ts'

/** What decides which cases run. */
export interface Probe {
  /** Those of a transport that is connected: what it promises can depend on the other side. */
  readonly capabilities: Capabilities
  readonly faults: ReadonlySet<FaultName>
}

/** Makes a medium and a transport on it, and ends both. */
export async function probe(makeMedium: () => Promise<Medium>): Promise<Probe> {
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
export function reasonToSkip(spec: AnyCase, found: Probe): CaseOutcome | undefined {
  if (spec.needs !== undefined && !spec.needs.holds(found.capabilities)) {
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
