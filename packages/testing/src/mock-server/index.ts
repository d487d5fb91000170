// The server
export { startMockServer, type MockServer, type RestartOptions } from './mock-server.ts'
export type { WaitForOptions } from '../waits.ts'
export type { WaitForConnectionOptions, WaitForMessageOptions } from './capture.ts'
export type { MockHandler, MockServerOptions, MockTlsOptions } from './options.ts'

// What it records
export type {
  MockClose,
  MockConnection,
  MockData,
  MockMessage,
  MockRequest,
} from './mock-connection.ts'
export type { MessageMatcher } from './matcher.ts'

// Its faults
export type { DripOptions, MockFaults, RefuseOptions, TimesOptions } from './faults.ts'
