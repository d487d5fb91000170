/** What an application uses: the bus, events and patterns, errors, queues, dead letters, codecs, observation. */
export { createBus } from './bus/event-bus.ts'
export type { AnyBus, Bus, BusHealth, BusMetrics } from './bus/bus.ts'
export type { BusOptions, EventSchemas, InputOf, OutputOf, ValidateAt } from './bus/bus-options.ts'
export type { IterateOptions } from './bus/iterate.ts'
export type { ReadableOptions, WritableOptions } from './bus/streams.ts'
export type { Middleware } from './bus/middleware.ts'
export type { BusEvents, OnError } from './bus/notices.ts'
export {
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
export { matches } from './contract/pattern-index.ts'
export { isPattern, isType } from './contract/type.ts'
export type { Capabilities } from './contract/capabilities.ts'
export type { Clock, Random, Timer } from './contract/clock.ts'
export type { StateName, TransportStatus } from './contract/status.ts'
export type {
  DeadLetterPolicy,
  ErrorPolicy,
  Handler,
  HandlerContext,
  SubscribeOptions,
  Subscriber,
  Subscription,
  SubscriptionStats,
} from './contract/subscriber.ts'
export type { EventMap, EventOf, Matching, MetadataOptions } from './contract/event-map.ts'
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
  type ListenOptions,
  type Listenable,
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
export {
  AbortedError,
  AttemptsExhaustedError,
  AuthError,
  BootstrapError,
  BusError,
  CircuitOpenError,
  ClosedError,
  ConfigError,
  ConnectionError,
  DecodeError,
  DetachedError,
  DisconnectedError,
  DrainingError,
  DroppedError,
  HandlerError,
  HandshakeError,
  HeartbeatTimeoutError,
  ProtocolError,
  QueueFullError,
  RateLimitError,
  RejectedError,
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
  type RateLimitReason,
} from './contract/errors.ts'
export type { BackpressureStrategy, QueueOptions, QueueStats } from './queue/queue-options.ts'
export {
  backoff,
  type BackoffPolicy,
  type ConstantBackoffOptions,
  type ExponentialBackoffOptions,
  type Jitter,
  type LinearBackoffOptions,
} from './resilience/backoff.ts'
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
export type { Pressure } from './resilience/pressure.ts'
export type { Codec } from './codec/codec.ts'
export { bytesCodec, textCodec } from './codec/text-codec.ts'
export { jsonCodec } from './codec/json-codec.ts'
export type { ObservableTransport, TransportMetrics } from './contract/transport-metrics.ts'
export {
  telemetry,
  type MessageTelemetry,
  type NoticeChannel,
  type Operation,
  type SubscriptionTelemetry,
  type Telemetry,
  type TelemetryNotices,
  type TelemetryOperations,
  type TelemetryOptions,
  type TelemetrySource,
} from './observe/telemetry.ts'
export type { LatencySummary } from './observe/latency-stats.ts'
export {
  InMemoryMetrics,
  type ConnectionMetric,
  type ErrorMetric,
  type MessageMetric,
  type MetricsCollector,
  type MetricsSnapshot,
  type PublishMetric,
  type TrafficCount,
} from './observe/metrics.ts'
export {
  attachLogger,
  type LogFields,
  type LogLevel,
  type AttachLoggerOptions,
  type Logger,
} from './observe/logger.ts'
export {
  formatLog,
  lineLogger,
  type LineLoggerOptions,
  type LogEntry,
} from './observe/log-format.ts'
export type { StateStatistics, Transition, TransportTrace } from './observe/trace.ts'
export { errorData, type ErrorData } from './observe/error-data.ts'
