/** A suite: a run with its figures and the bars that they must clear. */
import type { Bar } from '../report/bar.ts'

/** How much of it. */
export interface SuiteOptions {
  readonly seed: number
  readonly size: 'full' | 'quick' | 'smoke'
}

export interface SuiteReport {
  readonly figures: Readonly<Record<string, unknown>>
  readonly bars: readonly Bar[]
}

export interface Suite {
  readonly name: string
  /** One line for `--help`. */
  readonly about: string
  run(options: SuiteOptions): Promise<SuiteReport>
}
