/** The catalogue: every case of the suite, by group. */
import type { CaseGroup } from '../case.ts'
import { LIFECYCLE } from './a-lifecycle/index.ts'
import { PUBLISH_SUBSCRIBE } from './b-publish-subscribe/index.ts'
import { ORDERING } from './c-ordering/index.ts'
import { SETTLING } from './d-settling/index.ts'
import { OUTCOME } from './e-outcome/index.ts'
import { BACKPRESSURE } from './f-backpressure/index.ts'
import { RECOVERY } from './g-recovery/index.ts'
import { DRAIN } from './h-drain/index.ts'

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
