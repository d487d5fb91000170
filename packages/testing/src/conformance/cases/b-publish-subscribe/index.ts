/** Group B: publishing and subscribing. */
import type { CaseGroup } from '../../case.ts'
import { everythingOnce } from './healthy.ts'

export const PUBLISH_SUBSCRIBE: CaseGroup = Object.freeze({
  letter: 'B',
  title: 'Publish and subscribe',
  cases: [everythingOnce],
  reserved: [],
})
