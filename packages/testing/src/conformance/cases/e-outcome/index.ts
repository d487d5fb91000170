/** Group E: what becomes of a publish. */
import type { CaseGroup } from '../../case.ts'
import { confirmedArrives } from './confirmation.ts'
import { onceDespiteRetry } from './lost-confirmation.ts'
import { neverResolvedAndDropped } from './while-disconnected.ts'
import { nobodyListens } from './without-subscribers.ts'

export const OUTCOME: CaseGroup = Object.freeze<CaseGroup>({
  letter: 'E',
  title: 'Publish outcome and dedupe',
  cases: [confirmedArrives, neverResolvedAndDropped, onceDespiteRetry, nobodyListens],
  reserved: [
    {
      id: 'E3',
      level: 'MUST',
      title: 'an id that is published twice is delivered once',
      reason:
        '`dedupe` concerns events that a transport sends again; an id that is used twice on purpose passes.',
    },
    {
      id: 'E5',
      level: 'MUST',
      title: 'a batch keeps its order, and fails as a whole or item by item',
      reason: 'The contract has no batch: transports batch what is published by themselves.',
    },
    {
      id: 'E7',
      level: 'MUST',
      title: 'a request gets its reply, or an error in time',
      reason: 'The contract has no request and reply.',
    },
  ],
})
