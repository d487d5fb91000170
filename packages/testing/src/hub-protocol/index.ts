// The suite
export { hubProtocolSuite, runHubProtocol } from './hub-protocol-suite.ts'
export type { TestRunner } from '../conformance/run/transport-conformance.ts'

// The hub under test
export type { HubCredentials, HubProtocolOptions, HubSettings } from './options.ts'

// Reports
export { HubProtocolError } from './hub-protocol-suite.ts'
export type { HubProtocolReport } from './options.ts'
export type { CaseLevel, CaseOutcome, ReportedCase } from '../conformance/medium.ts'
