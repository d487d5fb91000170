/** Group B: publishing and subscribing. */
import type { CaseGroup } from '../../case.ts'
import { attributes, bytes, payloads } from './fidelity.ts'
import { echo, everythingOnce, fanOut, liveWhenSubscribed } from './healthy.ts'
import { insideHandlers } from './inside-handlers.ts'
import { ownPayloads, twoInOneClient, typesApart } from './isolation.ts'
import { manyTypes } from './many-types.ts'
import { patterns } from './patterns.ts'
import { unsubscribing } from './unsubscribing.ts'

export const PUBLISH_SUBSCRIBE: CaseGroup = Object.freeze<CaseGroup>({
  letter: 'B',
  title: 'Publish and subscribe',
  cases: [
    everythingOnce,
    typesApart,
    twoInOneClient,
    fanOut,
    echo,
    unsubscribing,
    insideHandlers,
    liveWhenSubscribed,
    patterns,
    payloads,
    bytes,
    ownPayloads,
    attributes,
    manyTypes,
  ],
  reserved: [
    {
      id: 'B15',
      level: 'MUST',
      title: 'a subscriber that asks for the past gets it, then the present, without a seam',
      reason: 'A subscription begins with the present: nothing is kept for later subscribers.',
    },
    {
      id: 'B16',
      level: 'MUST',
      title: 'a new subscriber gets the last value of each key, marked as retained',
      reason: 'The contract has no retained events.',
    },
    {
      id: 'B17',
      level: 'MUST',
      title: 'the past can be read page by page',
      reason: 'The contract has no history.',
    },
    {
      id: 'B18',
      level: 'MUST',
      title: 'events that have expired are not delivered',
      reason: 'Events do not expire.',
    },
  ],
})
