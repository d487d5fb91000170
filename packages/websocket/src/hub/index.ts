export { createHub, type Hub } from './hub.ts'
export { hubDefaults, type HubOptions } from './options.ts'
export type { HubStats } from './hub-stats.ts'
