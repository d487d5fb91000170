/** Group F: back-pressure and overflow. */
import type { CaseGroup } from '../../case.ts'
import { staysWithinCredit } from './credits.ts'
import { boundedUnderFlood } from './flood.ts'
import { dropsNewest, dropsOldest } from './full-subscription.ts'
import { oneFreezesAlone } from './isolation.ts'
import { peerStopsReading } from './outbound.ts'
import { urgentAmongData } from './control-traffic.ts'
import { waitsInTurn } from './waiting-publishers.ts'

export const BACKPRESSURE: CaseGroup = Object.freeze<CaseGroup>({
  letter: 'F',
  title: 'Back-pressure and overflow',
  cases: [
    boundedUnderFlood,
    dropsOldest,
    waitsInTurn,
    dropsNewest,
    oneFreezesAlone,
    staysWithinCredit,
    peerStopsReading,
    urgentAmongData,
  ],
  reserved: [],
})
