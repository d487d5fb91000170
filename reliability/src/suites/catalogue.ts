/** The catalogue of suites, in the order in which they run. */
import { chaos } from './chaos.ts'
import { fuzz } from './fuzz.ts'
import { gaps } from './gaps.ts'
import { inputs } from './inputs.ts'
import { leaks } from './leaks.ts'
import { processes } from './processes.ts'
import { readers } from './readers.ts'
import { restarts } from './restarts.ts'
import { rfc6455 } from './rfc6455.ts'
import { security } from './security.ts'
import { soak } from './soak.ts'
import { stalls } from './stalls.ts'
import { storm } from './storm.ts'
import type { Suite } from './suite.ts'

/** Every suite. */
export const CATALOGUE: readonly Suite[] = [
  chaos,
  restarts,
  gaps,
  inputs,
  fuzz,
  security,
  rfc6455,
  storm,
  leaks,
  readers,
  processes,
  stalls,
  soak,
]
