/** What authors of transports build with. It may change in a minor version. */
export { assertId, checkedEvent } from './contract/event.ts'
export { PatternIndex } from './contract/pattern-index.ts'
export { assertPattern, assertType } from './contract/type.ts'
export { MAX_TIMEOUT_MS, setLongTimeout, systemClock } from './contract/clock.ts'
export { BACKPRESSURE_STRATEGIES, resolveQueueOptions } from './queue/queue-options.ts'
export { delayOf } from './resilience/backoff.ts'
export { abortable, sleep, withDeadline, type DeadlineOptions } from './resilience/wait.ts'
export { pressureOf } from './resilience/pressure.ts'
export { TokenBalance } from './resilience/token-balance.ts'
export { isParsedWithinDepth, isWithinDepth } from './codec/json-depth.ts'
export { BoundedQueue, type OfferResult, type QueueHooks } from './queue/bounded-queue.ts'
export { OutboxEntry, PublishLimits } from './queue/outbox-entry.ts'
export { AbortWatch } from './queue/abort-watch.ts'
export { Waiters, type WaitLimits, type WaitersOptions } from './queue/waiters.ts'
export {
  resolveErrorPolicy,
  type ResolvedDeadLetterPolicy,
  type ResolvedErrorPolicy,
} from './resilience/error-policy.ts'
export { check } from './config/checks.ts'
export { checkOptions, nearest, type Check, type Filled, type Shape } from './config/options.ts'
export { Emitter } from './observe/emitter.ts'
export {
  REDACTED,
  describeValue,
  isSecretName,
  printable,
  redactText,
  redactUrl,
  redacted,
} from './config/redact.ts'
export { isTelemetryPrefix, telemetryOf } from './observe/telemetry.ts'
export { LatencyStats } from './observe/latency-stats.ts'
export { reasonOfError } from './observe/metrics.ts'
export { StateTrace, type StateTraceOptions } from './observe/trace.ts'
export { formatTimestamp, parseTimestamp } from './codec/json-codec.ts'
