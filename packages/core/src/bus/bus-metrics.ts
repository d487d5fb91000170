/** The inner state of a bus in one picture: its transport, its subscriptions, its dead letters. */
import type { Subscription, SubscriptionStats } from '../contract/subscriber.ts'
import type { ObservableTransport, TransportMetrics } from '../contract/transport-metrics.ts'
import type { Transport } from '../contract/transport.ts'
import type { TransportTrace } from '../observe/trace.ts'
import type { DeadLetterQueue, DeadLetterStats } from '../resilience/dead-letters.ts'

/** What a bus shows of itself: plain data. */
export interface BusMetrics {
  /** Absent where the transport does not show its inner state. */
  readonly transport?: TransportMetrics
  /** Those that live. */
  readonly subscriptions: readonly (SubscriptionStats & {
    readonly id: string
    readonly patterns: readonly string[]
  })[]
  /** Absent where there are none. */
  readonly deadLetters?: DeadLetterStats
}

/** Puts it together. */
export function busMetrics(
  transport: Transport & Partial<ObservableTransport>,
  subscriptions: readonly Subscription[],
  deadLetters: DeadLetterQueue | undefined,
): BusMetrics {
  const metrics = transport.metrics?.()
  return Object.freeze({
    ...(metrics === undefined ? {} : { transport: metrics }),
    subscriptions: subscriptions.map((subscription) => {
      const { id, patterns } = subscription
      return { id, patterns, ...subscription.stats() }
    }),
    ...(deadLetters === undefined ? {} : { deadLetters: deadLetters.stats() }),
  })
}

/** The past of the transport; `undefined` where it keeps none. */
export function transportTrace(
  transport: Transport & Partial<ObservableTransport>,
): TransportTrace | undefined {
  return transport.trace?.()
}
