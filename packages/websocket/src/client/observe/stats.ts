/** The counters of a transport. */
import type { Outbox } from '../outbox/outbox.ts'
import type { Reader } from '../subscriptions/reader.ts'

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

/** Where the counters are kept. */
export interface StatsSources {
  readonly outbox: Outbox
  readonly reader: Reader
  readonly linksMade: number
}

/** The counters now. */
export function statsOf({ outbox, reader, linksMade }: StatsSources): WebSocketTransportStats {
  const { sent } = outbox.stats()
  const reconnects = Math.max(linksMade - 1, 0)
  return { sent, resent: outbox.resent, received: reader.received, reconnects }
}
