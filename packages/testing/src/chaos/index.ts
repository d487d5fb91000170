// The proxy
export { startChaosProxy, type ChaosProxy, type ChaosStats } from './chaos-proxy.ts'
export type { ChaosProxyOptions } from './options.ts'

// What it breaks
export type { ChaosLink, CutOptions, Fault, Tear } from './link.ts'
export type { BlackholeOptions, Swallowed } from './blackhole.ts'
export type { Direction, Weather } from './weather.ts'

// Repeating a run
export { seededRandom } from './seeded-random.ts'
