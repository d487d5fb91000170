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
  DisconnectedError,
  HandshakeError,
  HeartbeatTimeoutError,
  ProtocolError,
  RejectedError,
} from './contract/connection-errors.ts'

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

// Codecs
export type { Codec } from './codec/codec.ts'
export { bytesCodec } from './codec/bytes-codec.ts'
export { jsonCodec } from './codec/json-codec.ts'
export { textCodec } from './codec/text-codec.ts'

// Building blocks of transports
export { isWithinDepth } from './codec/json-depth.ts'
export { isParsedWithinDepth, isPlainWithinDepth } from './codec/value-depth.ts'
export { BoundedQueue, type OfferResult } from './queue/bounded-queue.ts'
export { AbortWatch } from './queue/abort-watch.ts'
export type { QueueHooks } from './queue/queue-hooks.ts'
export { resolveQueueOptions } from './queue/resolve-queue-options.ts'
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

// Observation
export {
  telemetry,
  type NoticeChannel,
  type Operation,
  type TelemetryNotices,
  type TelemetryOperations,
} from './observe/telemetry.ts'
