/** The inner state of a transport in one picture, and what a transport that can show it offers. */
import type { LatencySummary } from '../observe/latency-stats.ts'
import type { TransportTrace } from '../observe/trace.ts'
import type { QueueStats } from '../queue/queue-options.ts'
import type { BreakerStats } from '../resilience/circuit-breaker.ts'
import type { StateName } from './status.ts'

/** Plain data, made for `JSON.stringify`. Durations are in milliseconds. */
export interface TransportMetrics {
  /** The name of its kind: `websocket`. */
  readonly transport: string
  /** Its own id, the same as in its telemetry. */
  readonly id: string
  readonly state: StateName
  /** How long the link of now has been ready; 0 without one. */
  readonly uptimeMs: number
  /** What waits to be sent, with what is under way. */
  readonly queue: QueueStats
  /** Of those: handed to a socket, but not yet taken over or confirmed. */
  readonly unconfirmed: number
  /** Absent where there is no breaker. */
  readonly breaker?: BreakerStats
  /** Of the link of now; absent without one. */
  readonly heartbeat?: {
    /** Pings in a row without an answer. */
    readonly missed: number
    /** Since anything came; absent before the first frame. */
    readonly lastInboundAgeMs?: number
    /** Since a ping was answered; absent before the first. */
    readonly lastPongAgeMs?: number
  }
  /** Round trips of pings over all links, the latest 100. */
  readonly roundTrip: LatencySummary
  readonly subscriptions: {
    readonly count: number
    /** Every pattern that is subscribed to, each once. */
    readonly patterns: readonly string[]
    /** Those that have no room now. */
    readonly held: number
  }
  readonly links: {
    /** How many became ready. */
    readonly made: number
    readonly reconnects: number
    /** Attempts that failed. */
    readonly failures: number
    /** Whether reading is paused because queues are full. */
    readonly isPaused: boolean
    /** Answers that are awaited on the link of now. */
    readonly awaited: number
  }
  /** Events sent, sent again after a broken link, and received. */
  readonly events: { readonly sent: number; readonly resent: number; readonly received: number }
  /** Bytes of the sockets over all links, headers and handshakes included. */
  readonly bytes: {
    readonly sent: number
    readonly received: number
    /** In the socket's own buffer, not yet taken over by the operating system. */
    readonly buffered: number
  }
}

/** A transport that shows its inner state and its past. */
export interface ObservableTransport {
  metrics(): TransportMetrics
  trace(): TransportTrace
}
