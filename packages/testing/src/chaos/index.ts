// The proxy
export { startChaosProxy, type ChaosProxy, type ChaosStats } from './chaos-proxy.ts'
export type { ChaosProxyOptions } from './options.ts'

// What it breaks
export type { ChaosLink, CutOptions, LinkFault, BreakMode } from './link.ts'
export type {
  BlackholeMode,
  BlackholeOptions,
  LinkDirection,
  NetworkConditions,
} from './conditions.ts'

// Repeating a run
export { seededRandom } from './seeded-random.ts'
