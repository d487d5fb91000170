/** The heartbeat's port: what it needs of its owner, what can be set, and what it tells. */
import type { Clock, HeartbeatTimeoutError, Random } from '@bus/core'

/** What the heartbeat does to its owner. */
export interface HeartbeatPort {
  /** Sends a ping frame. */
  ping(payload: string): void
  /**
   * Bytes that were received so far, those of a frame that is not complete included. A large message delays the pong behind
   * it, and while it comes its bytes are the sign of life. Absent: only frames are.
   */
  received?(): number
  /** A deadline passed: a ping stayed without an answer, or nothing was heard. {@link lost} may follow. */
  missed?(info: { readonly silentMs: number; readonly missed: number }): void
  /** The other side is gone: terminate the socket. Told once; the heartbeat has stopped. */
  lost(error: HeartbeatTimeoutError): void
}

export interface HeartbeatOptions {
  /** Milliseconds between pings; `false` sends none. */
  readonly intervalMs: number | false
  /** Milliseconds that an answer to a ping may take, at most `intervalMs`. */
  readonly timeoutMs: number
  /** Pings in a row without an answer after which the other side is lost. */
  readonly maxMissed: number
  /** Milliseconds without any frame after which the other side is lost. `undefined`: no limit. */
  readonly idleTimeoutMs?: number | undefined
}

export interface HeartbeatTools {
  readonly clock: Clock
  /** Spreads the first pings of many connections over the interval. */
  readonly random: Random
  /** Runs later, once bytes that already wait have been read. @default two turns of `setImmediate` */
  readonly defer?: (run: () => void) => void
}

export interface HeartbeatStats {
  /** Monotonic milliseconds of the last frame; `undefined` before the first. */
  readonly lastInboundAt: number | undefined
  readonly lastPongAt: number | undefined
  /** Pings in a row without an answer in time, also when other frames show that the link lives. */
  readonly missed: number
  /** Round trip of the last answered ping, in milliseconds. */
  readonly rttMs: number | undefined
  readonly timerActive: boolean
}
