/** What other servers expect beside the events, and connectors from flat properties. */
export { ConnectorRegistry, type ConnectorFactory } from './connectors/connectors.ts'
export {
  property,
  readProperties,
  refuseUnknownProperties,
  type Properties,
  type Property,
  type PropertyShape,
  type PropertyValues,
} from './connectors/properties.ts'
export {
  errorHandlingOf,
  errorParameters,
  type DeadLetterStreams,
  type ErrorHandling,
  type ErrorLogLevel,
} from './connectors/error-properties.ts'
export { profiles, type Profiles } from './profiles.ts'
export {
  type ConnectionHandler,
  type ErrorHandler,
  type Handlers,
  type LoggingHandler,
  type MessageHandler,
  type RateLimitHandler,
  type SubscriptionHandler,
  attachHandlers,
  withHandlers,
  type ClientOptions,
} from './handlers.ts'
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
export {
  definePlatform,
  type Platform,
  type PlatformClient,
  type PlatformClientOptions,
  type PlatformDefinition,
  type PlatformOptions,
} from './platform.ts'
export type { PlatformAuth, PlatformSubscriptions } from './compose-protocol.ts'
export { ChannelSubscriptions, type ChannelNotices } from './channel-subscriptions.ts'
export type {
  ChannelAnswer,
  ChannelAsk,
  ChannelRequest,
  ChannelSubscriptionsOptions,
} from './channels/channel-options.ts'
export type {
  ChannelChange,
  ChannelStatus,
  ChannelSubscription,
} from './channels/channel-record.ts'
export type { RestoreReport } from './channels/restore-report.ts'
export type { BatchOptions, BatchProgress } from './channels/subscribe-batch.ts'
export { withChannels, type WithChannels } from './with-channels.ts'
export {
  JsonRpcProtocol,
  jsonRpcProtocol,
  type JsonRpcNotices,
} from './json-rpc/json-rpc-protocol.ts'
export type { JsonRpcOptions, RpcOutgoing } from './json-rpc/options.ts'
export type { RpcArguments, RpcCaller, RpcRequestOptions } from './json-rpc/caller.ts'
export { defineMethod, type DefineMethodOptions, type RpcMethod } from './json-rpc/method.ts'
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
} from './json-rpc/messages.ts'
export type { RpcServerRequest } from './json-rpc/server-request.ts'
export {
  needsRenewal,
  type AuthAnswer,
  type AuthHandler,
  type AuthPolicy,
  type AuthState,
} from './auth.ts'
export { readAuthAnswer, type AuthReader } from './auth-message.ts'
export { Authentication, type AuthTime } from './authentication.ts'
export { createClient, type ClientDefinition } from './create-client.ts'
export { hmacAuth, type HmacAuthOptions, type HmacParts, type HmacSigned } from './hmac-auth.ts'
export { tokenAuth, type TokenAuthOptions } from './token-auth.ts'
export { withAuth, type AuthenticatedProtocol } from './with-auth.ts'
export { DuplicateIdError, RpcError } from './json-rpc/errors.ts'
export { nameOfType, typeOfName } from './channel-names.ts'
export { binanceHeartbeat, deribitHeartbeat, genericHeartbeat } from './heartbeats.ts'
