/** The hand-over: a live connection between two owners, with all that belongs to it. */
import type { CloseOptions, Delivery, TransportStatus } from '@bus/core'

/** One subscription of the owner that has gone. */
export interface DetachedSubscription {
  readonly patterns: readonly string[]
  /** How it was delivered. */
  readonly delivery: Delivery
}

/**
 * What `detach` gives: the connection lives on, and waits for its next owner. Adopt it or close it.
 *
 * It works inside one thread only: a socket cannot be sent to another.
 */
export interface Handover extends AsyncDisposable {
  /** That of the connection. */
  readonly status: TransportStatus
  /** What the next owner should subscribe to, to get what has come meanwhile. */
  readonly subscriptions: readonly DetachedSubscription[]
  /** Ends the connection instead of handing it on. Idempotent; without effect once it was adopted. */
  close(options?: CloseOptions): Promise<void>
}
