// The transport
export { WebSocketTransport, webSocketTransport } from './client/websocket-transport.ts'
export type { ConnectivityOptions } from './client/reconnect/connectivity.ts'
export type { WebSocketTransportStats } from './client/observe/observation.ts'
export {
  defaults,
  type BootstrapConnection,
  type HeaderFactory,
  type Headers,
  type HeartbeatSettings,
  type OnOpen,
  type ReconnectOptions,
  type ResolvedOptions,
  type ResolvedReconnect,
  type RetryDecision,
  type TimeoutOptions,
  type TlsOptions,
  type WebSocketTransportOptions,
} from './client/options/options.ts'
export type { ResolvedTelemetry, TransportTelemetryOptions } from './client/options/options.ts'
export type { Handover } from './client/handover/live-handover.ts'
export type { DetachedSubscription } from './client/subscriptions/parking.ts'
export type { AdoptOptions } from './client/handover/live-handover.ts'
export { classify, closePolicy } from './client/options/options.ts'
export {
  parseWebSocketOptions,
  safeParseWebSocketOptions,
  type ParsedOptions,
} from './client/options/options.ts'
export type { Admission, AdmissionPermit } from './client/options/admission.ts'
export { mergeConfig, type ClientConfig } from './client/options/merge-config.ts'
export { profiles, type Profiles } from './client/options/profiles.ts'
export type {
  ConnectionHandler,
  ErrorHandler,
  Handlers,
  LoggingHandler,
  MessageHandler,
  RateLimitHandler,
  SubscriptionHandler,
} from './client/options/handlers.ts'
export type {
  ConnectionWatch,
  ConnectionWatcher,
  WatchDirection,
  WatchedEnd,
} from './client/options/connection-watch.ts'
export type { FramesOptions, RawFrame } from './client/frames/frame-tap.ts'
export type { FrameWaitOptions } from './client/frames/answers.ts'
export type { AnswerMatch } from './client/frames/answers.ts'
export type { RequestOptions } from './protocol/request.ts'
export { supervise, type SuperviseOptions, type Supervisor } from './client/supervise.ts'

// Connectors
export { fromProperties, type ConnectionOptions } from './connectors/connection.ts'
export { webSocketSinkFactory, webSocketSourceFactory } from './connectors/factories.ts'
export type { Format, Reading } from './connectors/format.ts'
export type { Compression } from './connectors/inflate.ts'
export type { MessageKind } from './connectors/message.ts'
export { WebSocketSink, webSocketSink } from './connectors/sink.ts'
export type { WebSocketSinkOptions } from './connectors/sink-options.ts'
export { WebSocketSource, webSocketSource } from './connectors/source.ts'
export type { SourceCallback, SourceMessage } from './connectors/source-run.ts'
export type {
  WebSocketSourceOptions,
  WebSocketSourceOverrides,
} from './connectors/source-options.ts'

// Other servers' dialects
export {
  binanceHeartbeat,
  deribitHeartbeat,
  genericHeartbeat,
  type HeartbeatFrame,
  type HeartbeatProfile,
} from './protocol/heartbeat-profile.ts'
export {
  definePlatform,
  type Platform,
  type PlatformClient,
  type PlatformClientOptions,
  type PlatformDefinition,
  type PlatformOptions,
} from './platform/platform.ts'
export type { PlatformAuth, PlatformSubscriptions } from './platform/compose-protocol.ts'
export { ChannelSubscriptions, type ChannelNotices } from './platform/channel-subscriptions.ts'
export type {
  ChannelAnswer,
  ChannelAsk,
  ChannelRequest,
  ChannelSubscriptionsOptions,
} from './platform/channels/channel-options.ts'
export type {
  ChannelChange,
  ChannelStatus,
  ChannelSubscription,
} from './platform/channels/channel-record.ts'
export type { RestoreReport } from './platform/channels/restore-report.ts'
export type { BatchOptions, BatchProgress } from './platform/channels/subscribe-batch.ts'
export { withChannels, type WithChannels } from './platform/with-channels.ts'
export { busV1, type BusV1Options } from './protocol/bus-v1/bus-v1.ts'

// Requests
export {
  JsonRpcProtocol,
  jsonRpcProtocol,
  type JsonRpcNotices,
} from './platform/json-rpc/json-rpc-protocol.ts'
export type { JsonRpcOptions, RpcOutgoing } from './platform/json-rpc/options.ts'
export type { RpcArguments, RpcCaller, RpcRequestOptions } from './platform/json-rpc/caller.ts'
export {
  defineMethod,
  type DefineMethodOptions,
  type RpcMethod,
} from './platform/json-rpc/method.ts'
export {
  jsonrpc,
  type JsonRpcMessages,
  type RpcAnswer,
  type RpcErrorBody,
  type RpcId,
  type RpcMessage,
  type RpcNotification,
  type RpcParams,
  type RpcRequest,
} from './platform/json-rpc/messages.ts'
export type { RpcServerRequest } from './platform/json-rpc/server-request.ts'

// Who we are, and clients of one kind
export {
  needsRenewal,
  type AuthAnswer,
  type AuthHandler,
  type AuthPolicy,
  type AuthState,
} from './platform/auth.ts'
export { readAuthAnswer, type AuthReader } from './platform/auth-message.ts'
export { Authentication, type AuthTime } from './platform/authentication.ts'
export { createClient, type ClientDefinition } from './platform/create-client.ts'
export {
  hmacAuth,
  type HmacAuthOptions,
  type HmacParts,
  type HmacSigned,
} from './platform/hmac-auth.ts'
export { tokenAuth, type TokenAuthOptions } from './platform/token-auth.ts'
export { withAuth, type AuthenticatedProtocol } from './platform/with-auth.ts'
export type { AuthContext, Token, TokenSource } from './protocol/credentials.ts'
