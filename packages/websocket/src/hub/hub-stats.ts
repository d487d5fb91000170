/** The figures of a hub since it started. */

/** Counters of a hub, and how many connections it has now. */
export interface HubStats {
  readonly connections: number
  /** Frames that came in. */
  readonly received: number
  /** Frames that the operating system took over, over all readers. */
  readonly relayed: number
  /** Frames for a reader whose link broke before the operating system took them. */
  readonly lost: number
  /** Readers that were cut off because they held up the others. */
  readonly slowReaders: number
}
