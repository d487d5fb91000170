/** Where a recorder writes: a file that it opens, or a stream that somebody gave it. */
import type { Writable } from 'node:stream'

/** A path, or a stream that stays open when the recorder stops. */
export type RecordTarget = string | Writable

/** What a recorder needs of the place that it writes to. One write at a time. */
export interface TargetPort {
  /** Resolves when the system has taken the text over. */
  write(text: string): Promise<void>
  /**
   * The process ends now: writes at once, after what is under way.
   *
   * @param underWay - the text of the write that has not been confirmed yet; empty where there is none
   */
  writeLast(text: string, underWay: string): void
  close(): Promise<void>
}
