/** Group A: the contract and the life of a transport. */
import type { CaseGroup } from '../../case.ts'
import { manifest } from './manifest.ts'

export const LIFECYCLE: CaseGroup = Object.freeze({
  letter: 'A',
  title: 'Contract and lifecycle',
  cases: [manifest],
  reserved: [],
})
