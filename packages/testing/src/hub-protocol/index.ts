// The suite
export { hubProtocolSuite, runHubProtocol } from './hub-protocol-suite.ts'
export type { Runner } from '../conformance/run/transport-conformance.ts'

// What it is told
export type { HubCredentials, HubProtocolOptions, HubSettings } from './options.ts'

// What it tells
export { HubProtocolError } from './hub-protocol-suite.ts'
export type { HubProtocolReport } from './options.ts'
export type { CaseOutcome, Level, ReportedCase } from '../conformance/medium.ts'

// Its cases
export { HUB_CATALOGUE } from './cases/catalogue.ts'
export type { HubCase, HubCaseGroup, Need } from './hub-case.ts'
