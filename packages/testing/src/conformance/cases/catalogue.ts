/** The catalogue: every case of the suite, by group. */
import type { CaseGroup } from '../case.ts'
import { aborting } from './a-lifecycle/aborting.ts'
import { badArguments } from './a-lifecycle/bad-arguments.ts'
import {
  closeAnytime,
  closedForGood,
  independence,
  nothingLeft,
  states,
} from './a-lifecycle/closing.ts'
import { closeIsNoDrain, consumersEnd } from './a-lifecycle/consumers.ts'
import { health, manifest, unclaimed } from './a-lifecycle/capabilities.ts'
import { attributes, bytes, payloads } from './b-publish-subscribe/fidelity.ts'
import {
  echo,
  everythingOnce,
  fanOut,
  liveWhenSubscribed,
  manyTypes,
  ownPayloads,
  twoInOneClient,
  typesApart,
} from './b-publish-subscribe/delivering.ts'
import { insideHandlers, unsubscribing } from './b-publish-subscribe/unsubscribing.ts'
import { patterns } from './b-publish-subscribe/patterns.ts'
import {
  concurrency,
  exactSet,
  orderAcrossReconnects,
  orderPerKey,
  orderPerPublisher,
  totalOrder,
} from './c-ordering/order.ts'
import { orderThroughSlowSteps } from './c-ordering/slow-steps.ts'
import { churn } from './c-ordering/churn.ts'
import {
  settledAfterHandling,
  settledAgain,
  settledOnce,
  unsettledSurvives,
} from './d-settling/settling.ts'
import { handlerContext } from './d-settling/context.ts'
import { poison, retriesThenDeadLetters, survivesFailures } from './d-settling/failing.ts'
import {
  confirmedArrives,
  neverResolvedAndDropped,
  withoutSubscribers,
  onceDespiteRetry,
} from './e-outcome.ts'
import {
  boundedUnderFlood,
  dropsNewest,
  dropsOldest,
  staysWithinCredit,
} from './f-backpressure/slow-handler.ts'
import { publishesLeaveTurns } from './f-backpressure/fairness.ts'
import { oneFreezesAlone, urgentAmongData } from './f-backpressure/isolation.ts'
import { peerStopsReading, waitsInOrder } from './f-backpressure/outbound.ts'
import {
  deadPeerIsFound,
  dialsLeaveNothing,
  endsAtOnce,
  subscriptionsLiveOn,
  triesAgainWisely,
} from './g-recovery/reconnecting.ts'
import { badFrameIsReported, duplicatesAreKnown } from './g-recovery/bad-frames.ts'
import { noSilentLoss, soak } from './g-recovery/no-silent-loss.ts'
import { missedComesFirst, noFalseGap, quietClientsRecover } from './g-recovery/resuming.ts'
import {
  abandonedIsReported,
  drainsWithoutLink,
  movesWithoutLoss,
  nothingIsLost,
  publishesFromHandlers,
} from './h-drain.ts'

const LIFECYCLE: CaseGroup = Object.freeze({
  letter: 'A',
  title: 'Contract and lifecycle',
  cases: [
    manifest,
    unclaimed,
    states,
    closeAnytime,
    closedForGood,
    nothingLeft,
    aborting,
    badArguments,
    health,
    independence,
    consumersEnd,
    closeIsNoDrain,
  ],
  reserved: [],
})

const PUBLISH_SUBSCRIBE: CaseGroup = Object.freeze<CaseGroup>({
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

const ORDERING: CaseGroup = Object.freeze<CaseGroup>({
  letter: 'C',
  title: 'Order and concurrency',
  cases: [
    orderPerPublisher,
    totalOrder,
    orderPerKey,
    concurrency,
    exactSet,
    churn,
    orderAcrossReconnects,
    orderThroughSlowSteps,
  ],
  reserved: [],
})

const SETTLING: CaseGroup = Object.freeze<CaseGroup>({
  letter: 'D',
  title: 'Settling, retries and dead letters',
  cases: [
    settledOnce,
    settledAfterHandling,
    retriesThenDeadLetters,
    unsettledSurvives,
    settledAgain,
    poison,
    survivesFailures,
    handlerContext,
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

const OUTCOME: CaseGroup = Object.freeze<CaseGroup>({
  letter: 'E',
  title: 'Publish outcome and dedupe',
  cases: [confirmedArrives, neverResolvedAndDropped, onceDespiteRetry, withoutSubscribers],
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

const BACKPRESSURE: CaseGroup = Object.freeze<CaseGroup>({
  letter: 'F',
  title: 'Back-pressure and overflow',
  cases: [
    boundedUnderFlood,
    dropsOldest,
    waitsInOrder,
    dropsNewest,
    oneFreezesAlone,
    staysWithinCredit,
    peerStopsReading,
    urgentAmongData,
    publishesLeaveTurns,
  ],
  reserved: [],
})

const RECOVERY: CaseGroup = Object.freeze<CaseGroup>({
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
    badFrameIsReported,
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

const DRAIN: CaseGroup = Object.freeze<CaseGroup>({
  letter: 'H',
  title: 'Drain',
  cases: [
    nothingIsLost,
    abandonedIsReported,
    publishesFromHandlers,
    drainsWithoutLink,
    movesWithoutLoss,
  ],
  reserved: [],
})

/** Each id stands in it once, run or reserved. */
export const CATALOGUE: readonly CaseGroup[] = Object.freeze([
  LIFECYCLE,
  PUBLISH_SUBSCRIBE,
  ORDERING,
  SETTLING,
  OUTCOME,
  BACKPRESSURE,
  RECOVERY,
  DRAIN,
])
