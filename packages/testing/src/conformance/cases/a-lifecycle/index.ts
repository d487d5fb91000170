/** Group A: the contract and the life of a transport. */
import type { CaseGroup } from '../../case.ts'
import { aborting } from './aborting.ts'
import { badArguments } from './bad-arguments.ts'
import { closeAnytime, closedForGood } from './closing.ts'
import { health } from './health.ts'
import { independence } from './independence.ts'
import { manifest } from './manifest.ts'
import { nothingLeft } from './nothing-left.ts'
import { states } from './states.ts'
import { unclaimed } from './unclaimed.ts'

export const LIFECYCLE: CaseGroup = Object.freeze({
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
  ],
  reserved: [],
})
