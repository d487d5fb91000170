/** The figures of a `bus.v1` hub. */
import type { Counters } from './counters.ts'

/** What happened since the start, and what there is now. */
export interface BusV1Stats extends Readonly<Counters> {
  readonly connections: number
  /** Sessions, with those that lost their link. */
  readonly sessions: number
  /** Events that were received and wait for room in the log. */
  readonly held: number
  /** Bytes that they count for, as in `limits.heldBytes`. */
  readonly heldBytes: number
  /** Subscriptions, with those of sessions that lost their link. */
  readonly subscriptions: number
  readonly log: {
    readonly events: number
    readonly bytes: number
    /** The oldest offset that is still there. */
    readonly floor: number
    /** The newest offset. */
    readonly head: number
  }
}
