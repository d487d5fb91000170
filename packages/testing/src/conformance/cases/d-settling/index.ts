/** Group D: settling, retries and dead letters. */
import type { CaseGroup } from '../../case.ts'
import { unsettledSurvives } from './across-reconnect.ts'
import { poison, retriesThenBuries, survivesFailures } from './failing.ts'
import { settledAfterHandling, settledAgain, settledOnce } from './settling.ts'

export const SETTLING: CaseGroup = Object.freeze<CaseGroup>({
  letter: 'D',
  title: 'Settling, retries and dead letters',
  cases: [
    settledOnce,
    settledAfterHandling,
    retriesThenBuries,
    unsettledSurvives,
    settledAgain,
    poison,
    survivesFailures,
  ],
  reserved: [
    {
      id: 'D4',
      level: 'MUST',
      title: 'an event that is released with a delay is delivered again after it',
      reason: 'No event is released: a bus tries again by itself, after the backoff of its policy.',
    },
    {
      id: 'D7',
      level: 'MUST',
      title: 'each event goes to one member of a group',
      reason: 'The contract has no groups of competing consumers.',
    },
    {
      id: 'D8',
      level: 'MUST',
      title: 'members of a group come and go without loss',
      reason: 'The contract has no groups of competing consumers.',
    },
  ],
})
