// The mock server and the chaos proxy
export * from './mock-server/index.ts'
export * from './chaos/index.ts'

// A bus in memory, and its clock
export { testBus, type TestBus, type TestBusOptions } from './test-bus/test-bus.ts'
export type { EventMatcher } from './test-bus/event-matcher.ts'
export { FakeClock } from './fake-clock.ts'

// Recordings and telemetry
export { replayServer, type ReplayServer } from './replay-server.ts'
export type { ReplayServerOptions } from './replay-server.ts'
export {
  captureTelemetry,
  type CapturedTelemetry,
  type CaptureTelemetryOptions,
  type TelemetryCapture,
  type TelemetryPayloads,
} from './capture-telemetry.ts'

// Waiting
export type { WaitForOptions } from './waits.ts'
