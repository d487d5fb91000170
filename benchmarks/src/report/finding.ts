/** A finding: the answer to one question, with every sample it rests on. */

/** What one run of one contender gave. */
export type Sample = Readonly<Record<string, number>>

/** The runs of one contender; with a problem there may be none. */
export interface Row {
  readonly name: string
  readonly note: string
  /** Why it did not take part or did not finish. */
  readonly problem?: string | undefined
  /** One a round, in order. */
  readonly samples: readonly Sample[]
}

/** A column. */
export interface Metric {
  /** The figure of the samples. */
  readonly key: string
  readonly label: string
  /** What the figure is divided by to be shown. @default 1 */
  readonly divisor?: number
  /** Show the ratio to this row's figure of the same round instead. */
  readonly relativeTo?: string
  readonly digits: number
  readonly better: 'higher' | 'lower'
}

/** A question with its answer; the first metric is the one to plot and to compare. */
export interface Finding {
  /** Short, for file names. */
  readonly name: string
  readonly title: string
  readonly metrics: readonly Metric[]
  /** The row that the others are compared with. */
  readonly reference?: string | undefined
  readonly rows: readonly Row[]
}
