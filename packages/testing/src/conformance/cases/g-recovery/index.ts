/** Group G: faults and recovery. */
import type { CaseGroup } from '../../case.ts'
import { triesAgainWisely } from './backoff.ts'
import { badFrameIsTold, duplicatesAreKnown } from './bad-frames.ts'
import { deadPeerIsFound } from './dead-peer.ts'
import { endsAtOnce } from './ending-early.ts'
import { dialsLeaveNothing } from './many-dials.ts'
import { noSilentLoss, soak } from './no-silent-loss.ts'
import { subscriptionsLiveOn } from './reconnecting.ts'
import { missedComesFirst, noFalseGap, quietClientsRecover } from './resuming.ts'

export const RECOVERY: CaseGroup = Object.freeze<CaseGroup>({
  letter: 'G',
  title: 'Faults and recovery',
  cases: [
    subscriptionsLiveOn,
    missedComesFirst,
    noSilentLoss,
    quietClientsRecover,
    noFalseGap,
    deadPeerIsFound,
    triesAgainWisely,
    dialsLeaveNothing,
    endsAtOnce,
    badFrameIsTold,
    duplicatesAreKnown,
    soak,
  ],
  reserved: [
    {
      id: 'G11',
      level: 'MUST',
      title: 'credentials that expire are renewed without losing subscriptions',
      reason: 'The contract knows no credentials: they are options of each transport.',
    },
    {
      id: 'G12',
      level: 'SHOULD',
      title: 'when the first endpoint is dead the next one is used',
      reason: 'The contract has no endpoints: several are a pool or a combination of transports.',
    },
  ],
})
