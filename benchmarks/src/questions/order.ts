/** The settings of a client for its question, and the commands that it accepts. */
import type { WorkloadName } from '../workload/workload.ts'

/** What a client needs to know to get ready. */
export interface OpenOrder {
  readonly question: string
  /** Empty where the question has none. */
  readonly contender: string
  readonly url: string
  readonly workload: WorkloadName
  /** How many events, deliveries, connections or patterns to measure. */
  readonly count: number
}

/** The steps of a client; what each returns goes to the parent. */
export type QuestionClient = Readonly<Record<string, () => unknown>>
