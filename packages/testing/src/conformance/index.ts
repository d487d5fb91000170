// The suite
export {
  runCases,
  type RunCasesOptions,
  type TestRunner,
  transportConformance,
} from './run/transport-conformance.ts'

// The transport under test
export type {
  ConformanceOptions,
  EndFault,
  FaultName,
  Medium,
  MediumFaults,
  TransportSettings,
} from './medium.ts'

// Reports
export type { CaseLevel, CaseOutcome, ConformanceReport, ReportedCase } from './medium.ts'
export { keptReport, type KeptReportOptions, type StableReport } from './report/report.ts'
export { casesTable, guaranteesTable, toMarkdown, type TableReport } from './report/tables.ts'
export { ConformanceError } from './run/run-case.ts'
