/** The WebSocket transport, its options, and the ports that others implement. */
export { WebSocketTransport, webSocketTransport } from './client/websocket-transport.ts'
export type { ConnectivityOptions } from './client/reconnect/connectivity.ts'
export type { WebSocketTransportStats } from './client/observe/observation.ts'
export type {
  BootstrapConnection,
  HeaderFactory,
  HeartbeatSettings,
  OnOpen,
  ReconnectOptions,
  ResolvedOptions,
  ReconnectBackoff,
  ResolvedReconnect,
  TimeoutOptions,
  TlsOptions,
  WebSocketTransportOptions,
} from './client/options/options.ts'
export type { ResolvedTelemetry, TransportTelemetryOptions } from './client/options/options.ts'
export type { Handover } from './client/handover/live-handover.ts'
export type { DetachedSubscription } from './client/subscriptions/detached-subscriptions.ts'
export type { AdoptOptions } from './client/handover/live-handover.ts'
export { classify } from './client/options/classify.ts'
export {
  defaults,
  parseWebSocketOptions,
  safeParseWebSocketOptions,
  type ParsedOptions,
} from './client/options/resolve-options.ts'
export type { Headers } from './client/options/options.ts'
export type { Admission, AdmissionPermit } from './client/options/admission.ts'
export { mergeConfig, type ClientConfig } from './client/options/merge-config.ts'
export type {
  ConnectionWatch,
  ConnectionWatcher,
  WatchDirection,
  WatchedEnd,
} from './client/options/connection-watch.ts'
export type { FramesOptions, RawFrame } from './client/frames/frame-tap.ts'
export type { FrameListener, FrameWaitOptions } from './client/frames/answers.ts'
export type { AnswerMatch } from './client/frames/answers.ts'
export type { RequestOptions } from './protocol/request.ts'
export { supervise, type SuperviseOptions, type Supervisor } from './client/supervise.ts'
export type { HeartbeatFrame, HeartbeatProfile } from './protocol/heartbeat-profile.ts'
export { busV1, type BusV1Options } from './client/bus-v1.ts'
export type { AuthContext, Token, TokenSource } from './protocol/credentials.ts'
