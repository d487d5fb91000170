/** Group H: draining. */
import type { CaseGroup } from '../../case.ts'
import { nothingIsLost, publishesFromHandlers } from './draining.ts'
import { abandonedIsTold, drainsWithoutLink } from './out-of-time.ts'
import { movesWithoutLoss } from './sent-away.ts'

export const DRAIN: CaseGroup = Object.freeze<CaseGroup>({
  letter: 'H',
  title: 'Drain',
  cases: [
    nothingIsLost,
    abandonedIsTold,
    publishesFromHandlers,
    drainsWithoutLink,
    movesWithoutLoss,
  ],
  reserved: [],
})
