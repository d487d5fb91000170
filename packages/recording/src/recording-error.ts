/** The error of recordings, and what it names. */
import { BusError, type BusErrorOptions } from '@bus/core'

/** What is wrong with a recording. */
export type RecordingProblem =
  /** The file, or the stream, cannot be opened, read or written: `cause` is the system's error. */
  | 'file'
  /** Entries came faster than they could be written, and some were left out. */
  | 'overflow'
  /** A line is not a JSON object. */
  | 'json'
  /** A line has no `ts`, or one that is not RFC 3339. */
  | 'time'
  /** A line's `dir` is neither `in` nor `out`. */
  | 'direction'
  /** A line's `type` is unknown. */
  | 'type'
  /** A line's `data` does not fit its type. */
  | 'data'

/** A recording, or a line of one, that cannot be read or written. */
export class RecordingError extends BusError {
  override name: string = 'RecordingError'
  readonly code = 'recording'
  readonly category = 'permanent'
  readonly problem: RecordingProblem

  constructor(problem: RecordingProblem, message: string, options: BusErrorOptions = {}) {
    super(message, options)
    this.problem = problem
  }
}
