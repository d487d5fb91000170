// The suite
export { transportConformance } from './run/transport-conformance.ts'
export { runCases, type RunCasesOptions } from './run/run-cases.ts'
export type { Runner } from './run/runner.ts'

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
export { casesTable, guaranteesTable, toMarkdown, type Tabled } from './report/markdown.ts'
export { keptReport, type KeptReportOptions } from './report/kept-report.ts'
export { ConformanceError } from './run/run-case.ts'
export type { CaseOutcome, ConformanceReport, Level, ReportedCase } from './medium.ts'

// Its cases
export { CATALOGUE } from './cases/index.ts'
export type { AnyCase, CaseGroup, Claim, ConformanceCase, ReservedCase } from './case.ts'
export type { CaseBusOptions, World } from './world/world.ts'
export type { Refusal, Timing } from './world/waiting.ts'
export type { Inbox } from './world/inbox.ts'
