// The server
export { startMockServer, type MockServer, type RestartOptions } from './mock-server.ts'
export type { WaitForConnectionOptions, WaitForMessageOptions } from './capture.ts'
export type { MockHandler, MockServerOptions, MockTlsOptions } from './options.ts'

// What it captures
export type { MockClose, MockConnection, MockWaitOptions } from './mock-connection.ts'
export type { MockData, MockMessage } from './mock-connection.ts'
export type { MockRequest } from './mock-connection.ts'
export type { Matcher } from './matcher.ts'

// What it breaks
export type { DripOptions, Faults, RefuseOptions, TimesOptions } from './faults.ts'
