/** What is left to a handle whose client was given to another owner: figures of nothing. */

import { randomUUID } from 'node:crypto'
import type {
  Capabilities,
  DetachedError,
  Health,
  QueueStats,
  TransportMetrics,
  TransportStatus,
  TransportTrace,
} from '@bus/core'
import { BoundedQueue, LatencyStats, StateTrace } from '@bus/core/kit'
import type { WebSocketTransportStats } from '../observe/observation.ts'
import type { ResolvedOptions } from '../options/options.ts'

/** Answers for a handle that owns nothing any more. */
export class Detached {
  readonly error: DetachedError
  readonly status: TransportStatus
  readonly capabilities: Capabilities
  readonly #id = randomUUID()
  readonly #options: Pick<ResolvedOptions, 'queue' | 'clock'>
  readonly #trace: StateTrace

  /** @param capabilities - the last that held */
  constructor(
    error: DetachedError,
    capabilities: Capabilities,
    options: Pick<ResolvedOptions, 'queue' | 'clock'>,
  ) {
    this.error = error
    this.status = Object.freeze({ state: 'closed', since: options.clock.now(), cause: error })
    this.capabilities = capabilities
    this.#options = options
    this.#trace = new StateTrace(this.status)
  }

  backpressureStats(): QueueStats {
    return new BoundedQueue(this.#options.queue).stats()
  }

  stats(): WebSocketTransportStats {
    return { sent: 0, resent: 0, received: 0, reconnects: 0 }
  }

  trace(): TransportTrace {
    return this.#trace.read(this.#options.clock.now())
  }

  metrics(): TransportMetrics {
    return Object.freeze({
      transport: 'websocket',
      id: this.#id,
      state: 'closed',
      uptimeMs: 0,
      queue: this.backpressureStats(),
      unconfirmed: 0,
      roundTrip: new LatencyStats().summary(),
      subscriptions: { count: 0, patterns: [], held: 0 },
      links: { made: 0, reconnects: 0, failures: 0, isPaused: false, awaited: 0 },
      events: { sent: 0, resent: 0, received: 0 },
      bytes: { sent: 0, received: 0, buffered: 0 },
    })
  }

  health(): Health {
    return {
      status: 'down',
      reasons: [`Closed: ${this.error.message}`],
      queue: this.backpressureStats(),
    }
  }
}
