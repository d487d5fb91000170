/** The counters of a transport. */

/** Counters since the transport was made. */
export interface WebSocketTransportStats {
  /** Frames that the operating system took over. */
  readonly sent: number
  /** Times that an event was written again because its link broke before. */
  readonly resent: number
  /** Events received. */
  readonly received: number
  /** Links that became ready after the first. */
  readonly reconnects: number
}
