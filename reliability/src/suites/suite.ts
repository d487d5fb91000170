/** A suite: a run with its figures and the bars that they must clear. */
import type { Bar } from '../report/bar.ts'
import type { Plot } from '../report/plot.ts'

/** How much of it. */
export interface SuiteOptions {
  readonly seed: number
  readonly size: 'full' | 'quick' | 'smoke'
}

export interface SuiteReport {
  readonly figures: Readonly<Record<string, unknown>>
  readonly bars: readonly Bar[]
  /** What is better looked at than read. @default nothing */
  readonly plot?: Plot
}

export interface Suite {
  readonly name: string
  /** One line for `--help`. */
  readonly about: string
  run(options: SuiteOptions): Promise<SuiteReport>
}
