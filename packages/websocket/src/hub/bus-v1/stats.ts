/** The statistics of a `bus.v1` hub, and the counters behind them. */

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
    /** The offset of the oldest event that is still there; `lastOffset + 1` when there is none. */
    readonly firstOffset: number
    /** The offset of the newest event ever accepted; 0 before the first. */
    readonly lastOffset: number
  }
}

/** What happened so far. */
export interface Counters {
  /** Events that entered the log. */
  published: number
  /** Lines of an event that came again, and were only acknowledged. */
  duplicates: number
  /** Events that were refused, for whatever reason. */
  refused: number
  /** At-most-once events that found no room. */
  shed: number
  /** Publishers that were sent away to come back later, because too much waited for room. */
  sentAway: number
  /** Events that were handed to subscribers' sockets. */
  delivered: number
  /** Gaps that were reported. */
  gaps: number
  /** Sessions that lost their protection because they kept the log full for too long. */
  givenUp: number
  /** Sessions that went on after their link was lost. */
  resumed: number
  /** Links that were ended because a newer one of the same session came. */
  fenced: number
  /** Links that were ended because a line or a number was not valid. */
  protocolErrors: number
  /** Links that were ended because a frame broke the rules of WebSocket, or was too large. */
  badFrames: number
  /** Connections whose credentials were refused. */
  unauthorized: number
  /** Errors that callbacks of the application threw. */
  callbackErrors: number
}

/** All zero. */
export function newCounters(): Counters {
  return {
    published: 0,
    duplicates: 0,
    refused: 0,
    shed: 0,
    sentAway: 0,
    delivered: 0,
    gaps: 0,
    givenUp: 0,
    resumed: 0,
    fenced: 0,
    protocolErrors: 0,
    badFrames: 0,
    unauthorized: 0,
    callbackErrors: 0,
  }
}
