/** The process of a crowd. */
import { serve } from '../process/serve.ts'
import { Crowd, type CrowdOrder, type CrowdState } from './crowd.ts'
import type { Verdict } from './tally.ts'

/** What it can be asked. */
export interface CrowdDuties {
  readonly join: (order: CrowdOrder) => Promise<void>
  readonly state: () => CrowdState
  readonly verdict: () => Verdict
  readonly leave: () => Promise<void>
}

function newDuties(): CrowdDuties {
  let crowd: Crowd | undefined
  const joined = (): Crowd => {
    if (crowd === undefined) throw new Error('The crowd has not joined yet')
    return crowd
  }
  return {
    join: (order) => {
      crowd = new Crowd(order)
      return crowd.join()
    },
    state: () => joined().state(),
    verdict: () => joined().verdict(),
    leave: () => joined().leave(),
  }
}

serve(newDuties())
