/** Several transports as one. */
export { TransportPool, transportPool, type PoolScore } from './pool.ts'
export type { Discover, PoolPublishOptions, TransportPoolOptions } from './pool-options.ts'
export {
  CombinedTransport,
  combinedTransport,
  type CombinedTransportOptions,
} from './combined-transport.ts'
export { ConnectionRegistry, type ConnectionRegistryOptions } from './connection-registry.ts'
export { healthScore, type HealthFacts } from './health-score.ts'
export { NoConnectionsError } from './no-connections-error.ts'
