/** The statistics of a hub since it started. */

import type { BackendStats } from './backend.ts'
import type { BusV1Stats } from './bus-v1/stats.ts'

/** Counters of the plain wire. */
export interface RelayStats {
  readonly connections: number
  /** Frames that came in. */
  readonly received: number
  /** Frames that the operating system took over, over all readers. */
  readonly relayed: number
  /** Frames for a reader whose link broke before the operating system took them. */
  readonly lost: number
  /** Events of `bus.v1` that a reader did not get, because it had not read what was sent before. */
  readonly skipped: number
  /** Frames that were not relayed, because they were larger, or more in a second, than their sender may send. */
  readonly refused: number
  /** Readers that were cut off because they kept the others waiting. */
  readonly slowReaders: number
  /** Connections that were ended because a frame broke the rules of WebSocket, or was too large. */
  readonly badFrames: number
}

/** Counters of a hub, and how many connections it has now. What is not in `busV1` concerns the plain wire. */
export interface HubStats extends RelayStats {
  /** On both wires. */
  readonly connections: number
  /** Frames and events that have no form on the other wire. */
  readonly unbridged: number
  /** Handshakes that were refused because their address had as many connections as it may. */
  readonly refusedPerIp: number
  /** Connections that were refused because their principal had as many as it may. */
  readonly refusedPerPrincipal: number
  /** Connections that were closed at once, because the process may not have more files open; not on a server of yours. */
  readonly dropped: number
  /** Connections that were ended because they, or their principal, sent too much. */
  readonly floods: number
  readonly busV1: BusV1Stats
  /** `undefined` where there is no backend. */
  readonly backend: BackendStats | undefined
}
