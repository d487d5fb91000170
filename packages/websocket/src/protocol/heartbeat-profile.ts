/** Heartbeats inside the application's own messages, for servers that ask for them. */
import type { Frame } from './protocol.ts'

/** How we tell a server that we are alive, beyond ping and pong frames. */
export interface HeartbeatProfile {
  /** A short name: `deribit`. */
  readonly name: string
  /** Milliseconds between two calls of `onTick`. @default 30_000 */
  readonly intervalMs?: number
  /** A frame to send at each tick; `undefined` sends nothing. */
  onTick?(): Frame | undefined
  /** Looks at each frame before it is decoded; `undefined` when it is no heartbeat. */
  onFrame?(frame: Frame): HeartbeatFrame | undefined
}

/** A frame that was a heartbeat: it goes no further. */
export interface HeartbeatFrame {
  /** What to answer; absent when the server expects no answer. */
  readonly reply?: Frame
}
