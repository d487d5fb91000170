export { createHub, type Hub, type HubDrainOptions } from './hub.ts'
export { hubDefaults, type HubOptions } from './options.ts'
export type { HubServer } from './options.ts'
export { isSameSecret } from './bus-v1/admission/authenticator.ts'
export type { HubSession } from './hub-session.ts'
export type { HubStats, RelayStats } from './hub-stats.ts'
export type { BackendStats } from './backend.ts'
export type { Rates } from './metering.ts'
export {
  busV1Defaults,
  type EventLogOptions,
  type HubBusV1Options,
  type HubLimits,
  type RateLimits,
} from './options.ts'
export type { Authenticate, Credentials } from './bus-v1/admission/authenticator.ts'
export type { Action, Authorize, Grants, Principal } from './bus-v1/admission/authenticator.ts'
export type { BusV1Stats } from './bus-v1/stats.ts'
export type { Counters } from './bus-v1/stats.ts'
