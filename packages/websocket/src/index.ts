// The transport
export { WebSocketTransport, webSocketTransport } from './client/websocket-transport.ts'
export type { WebSocketTransportStats } from './client/stats.ts'
export {
  defaults,
  type BootstrapConnection,
  type HeaderFactory,
  type Headers,
  type HeartbeatSettings,
  type OnOpen,
  type ReconnectOptions,
  type ResolvedOptions,
  type TimeoutOptions,
  type TlsOptions,
  type WebSocketTransportOptions,
} from './client/options.ts'
export { classify, closePolicy } from './client/classify.ts'
export {
  parseWebSocketOptions,
  safeParseWebSocketOptions,
  type ParsedOptions,
} from './client/resolve-options.ts'
export type { FramesOptions, RawFrame } from './client/frame-tap.ts'
export { supervise, type SuperviseOptions, type Supervisor } from './client/supervise.ts'

// Other servers' dialects
export {
  binanceHeartbeat,
  deribitHeartbeat,
  genericHeartbeat,
  type HeartbeatFrame,
  type HeartbeatProfile,
} from './platform/heartbeat-profile.ts'
export { busV1, type BusV1Options } from './client/bus-v1/bus-v1.ts'
