// The suite
export { transportConformance } from './run/transport-conformance.ts'
export { runCases, type RunCasesOptions } from './run/transport-conformance.ts'
export type { Runner } from './run/transport-conformance.ts'

// What it is told
export type {
  ConformanceOptions,
  FaultName,
  Faults,
  Medium,
  Mend,
  TransportSettings,
} from './medium.ts'

// What it tells
export { exercised, reportTitle, stableReport, type StableReport } from './report/report.ts'
export { casesTable, guaranteesTable, toMarkdown, type Tabled } from './report/tables.ts'
export { keptReport, type KeptReportOptions } from './report/report.ts'
export { ConformanceError } from './run/run-case.ts'
export type { CaseOutcome, ConformanceReport, Level, ReportedCase } from './medium.ts'

// Its cases
export { CATALOGUE } from './cases/catalogue.ts'
export type { AnyCase, CaseGroup, Claim, ConformanceCase, ReservedCase } from './case.ts'
export type { CaseBusOptions, World } from './world/world.ts'
export type { Refusal, Timing } from './world/waiting.ts'
export type { Inbox } from './world/inbox.ts'
