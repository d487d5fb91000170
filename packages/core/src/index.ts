// The bus
export { createBus } from './bus/create-bus.ts'
export type { Bus, BusHealth } from './bus/bus.ts'
export type { BusOptions, ValidateAt } from './bus/bus-options.ts'
export type { IterateOptions } from './bus/iterate.ts'
export type { Middleware } from './bus/middleware.ts'
export type { BusEvents, OnError } from './bus/notices.ts'
export type { ReadableOptions, WritableOptions } from './bus/streams.ts'
export type { EventSchemas, InputOf, OutputOf } from './bus/validation.ts'

// Events and patterns
export {
  assertId,
  checkedEvent,
  createEvent,
  isId,
  withCorrelationId,
  withSource,
  type Event,
  type EventInit,
  type EventMetadata,
} from './contract/event.ts'
export {
  defineEvent,
  type DefineEventOptions,
  type EventDefinition,
} from './contract/define-event.ts'
export { PatternIndex, matches } from './contract/pattern-index.ts'
export { assertPattern, assertType, isPattern, isType } from './contract/type.ts'

// Contracts
export type { Capabilities } from './contract/capabilities.ts'
export {
  systemClock,
  MAX_TIMEOUT_MS,
  type Clock,
  type Random,
  type Timer,
} from './contract/clock.ts'
export type { StateName, TransportStatus } from './contract/status.ts'
export type {
  DeadLetterPolicy,
  ErrorPolicy,
  EventMap,
  EventOf,
  Handler,
  HandlerContext,
  Matching,
  SubscribeOptions,
  Subscriber,
  Subscription,
  SubscriptionStats,
} from './contract/subscriber.ts'
export {
  outcomeOf,
  type BreakerStateName,
  type CloseOptions,
  type ConnectOptions,
  type Delivery,
  type DrainOptions,
  type DrainReport,
  type EmitOptions,
  type ErrorKind,
  type Feed,
  type FeedOptions,
  type Gap,
  type Health,
  type HealthOptions,
  type Listenable,
  type ListenOptions,
  type PublishOptions,
  type PublishReceipt,
  type RateLimitNotice,
  type Sink,
  type Transport,
  type TransportEvents,
  type Undeliverable,
  type UndeliverableReason,
  type Unsubscribe,
  type WaitOptions,
} from './contract/transport.ts'

// Errors
export {
  AbortedError,
  BusError,
  CircuitOpenError,
  ClosedError,
  ConfigError,
  DecodeError,
  DrainingError,
  DroppedError,
  HandlerError,
  QueueFullError,
  SerializationError,
  TimeoutError,
  TooLargeError,
  UnknownSubscriptionError,
  UnsupportedError,
  ValidationError,
  type BusErrorCode,
  type BusErrorOptions,
  type ErrorCategory,
  type Outcome,
} from './contract/errors.ts'
export {
  AttemptsExhaustedError,
  AuthError,
  BootstrapError,
  ConnectionError,
  DetachedError,
  DisconnectedError,
  HandshakeError,
  HeartbeatTimeoutError,
  NoConnectionsError,
  ProtocolError,
  RejectedError,
} from './contract/connection-errors.ts'
export { DuplicateIdError, RpcError } from './contract/request-errors.ts'
export { RecordingError, type RecordingProblem } from './contract/recording-error.ts'
export { explain, type ExplainOptions, type Explanation } from './explain/explain.ts'
export { RateLimitError, type RateLimitReason } from './contract/rate-limit-error.ts'

// Queue
export {
  BACKPRESSURE_STRATEGIES,
  type BackpressureStrategy,
  type QueueOptions,
} from './queue/queue-options.ts'
export type { QueueStats } from './queue/queue-stats.ts'

// Resilience
export {
  backoff,
  delayOf,
  type BackoffPolicy,
  type ConstantBackoffOptions,
  type ExponentialBackoffOptions,
  type Jitter,
  type LinearBackoffOptions,
} from './resilience/backoff.ts'
export { abortable, after, sleep, withDeadline, type DeadlineOptions } from './resilience/wait.ts'
export {
  InMemoryDeadLetterQueue,
  type ConsumeOptions,
  type DeadLetter,
  type DeadLetterConsumer,
  type DeadLetterEvents,
  type DeadLetterHandler,
  type DeadLetterQueue,
  type DeadLetterQueueOptions,
  type DeadLetterStats,
  type RedriveOptions,
  type RedriveReport,
  type RedriveTarget,
} from './resilience/dead-letters.ts'
export type { BreakerOptions, BreakerStats, CircuitBreaker } from './resilience/circuit-breaker.ts'

export {
  RateLimiter,
  type AcquireOptions,
  type RateLimiterOptions,
} from './resilience/rate-limiter.ts'
export type { RateLimitMode, RateLimitOptions } from './resilience/rate-limit-options.ts'
export { TokenBucket, type TokenBucketOptions } from './resilience/token-bucket.ts'
export { pressureOf, type Pressure } from './resilience/pressure.ts'

// Several transports as one
export { TransportPool, transportPool, type PoolScore } from './compose/pool.ts'
export type { Discover, PoolPublishOptions, TransportPoolOptions } from './compose/pool-options.ts'
export {
  CombinedTransport,
  combinedTransport,
  type CombinedTransportOptions,
} from './compose/combined-transport.ts'
export {
  ConnectionRegistry,
  type ConnectionRegistryOptions,
} from './compose/connection-registry.ts'
export { healthScore, type HealthFacts } from './compose/health-score.ts'

// Codecs
export type { Codec } from './codec/codec.ts'
export { bytesCodec } from './codec/bytes-codec.ts'
export { jsonCodec } from './codec/json-codec.ts'
export { textCodec } from './codec/text-codec.ts'

// Building blocks of transports
export { isWithinDepth } from './codec/json-depth.ts'
export { isParsedWithinDepth } from './codec/value-depth.ts'
export { BoundedQueue, type OfferResult } from './queue/bounded-queue.ts'
export { AbortWatch } from './queue/abort-watch.ts'
export type { QueueHooks } from './queue/queue-hooks.ts'
export { resolveQueueOptions } from './queue/resolve-queue-options.ts'
export {
  resolveErrorPolicy,
  type ResolvedDeadLetterPolicy,
  type ResolvedErrorPolicy,
} from './resilience/error-policy.ts'
export { resolveRateLimitOptions, type ResolvedRateLimit } from './resilience/rate-limit-options.ts'
export type { RateTicket } from './resilience/rate-ticket.ts'
export {
  arrayOf,
  boolean,
  checkOptions,
  durationMs,
  falseOr,
  func,
  instance,
  integer,
  number,
  object,
  oneOf,
  recordOf,
  required,
  string,
  where,
  withMethods,
  type Check,
  type Shape,
} from './config/options.ts'
export { Emitter } from './observe/emitter.ts'
export {
  REDACTED,
  describeValue,
  isSecretName,
  printable,
  redactText,
  redactUrl,
} from './config/redact.ts'
export { redacted } from './config/redacted-view.ts'

// Connectors and flat properties
export { ConnectorRegistry, type ConnectorFactory } from './config/connectors.ts'
export {
  property,
  readProperties,
  refuseUnknownProperties,
  type Properties,
  type Property,
  type PropertyShape,
  type PropertyValues,
} from './config/properties.ts'
export {
  errorHandlingOf,
  errorParameters,
  type DeadLetterStreams,
  type ErrorHandling,
  type ErrorLogLevel,
} from './resilience/error-properties.ts'

// Observation
export * from './observe/index.ts'
export type { ObservableTransport, TransportMetrics } from './contract/transport-metrics.ts'
export type { BusMetrics } from './bus/bus-metrics.ts'

// Recording
export { Recorder, type RecorderStats } from './observe/recording/recorder.ts'
export {
  resolveRecordOptions,
  type RecordOptions,
  type RecorderOptions,
} from './observe/recording/recorder-options.ts'
export type { RecordTarget } from './observe/recording/target.ts'
export { formatEntry, parseEntry, type RecordingEntry } from './observe/recording/entry.ts'
export { replay, type ReplayOptions, type ReplayReport } from './observe/recording/replay.ts'
export { recordingInfo, type RecordingInfo } from './observe/recording/recording-info.ts'
