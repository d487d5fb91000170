export {
  isTelemetryPrefix,
  telemetry,
  telemetryOf,
  type MessageTelemetry,
  type NoticeChannel,
  type Operation,
  type SubscriptionTelemetry,
  type Telemetry,
  type TelemetryNotices,
  type TelemetryOperations,
  type TelemetryOptions,
  type TelemetrySource,
} from './telemetry.ts'
export { LatencyStats, type LatencySummary } from './latency-stats.ts'
export {
  InMemoryMetrics,
  reasonOfError,
  type ConnectionMetric,
  type ErrorMetric,
  type MessageMetric,
  type MetricsCollector,
  type MetricsSnapshot,
  type PublishMetric,
  type TrafficCount,
} from './metrics.ts'
export { attachLogger, type LogFields, type Logger, type LogOptions } from './logger.ts'
export { formatLog, lineLogger, type LineLoggerOptions, type LogEntry } from './log-format.ts'
export type { LogLevel } from './log-level.ts'
export {
  StateTrace,
  type StateStatistics,
  type StateTraceOptions,
  type TransportTrace,
  type Transition,
} from './trace.ts'
export { errorData, type ErrorData } from './error-data.ts'
