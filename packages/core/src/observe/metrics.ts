/** Metrics of one transport: the port of a collector, and one that counts in memory. */
import { LatencyStats, type LatencySummary } from './latency-stats.ts'

/** What became of a link. */
export type ConnectionMetric =
  /** The handshake succeeded, milliseconds after dialing began. */
  | { readonly event: 'upgraded'; readonly durationMs: number }
  /** A link is ready, milliseconds after it was first dialed for. */
  | { readonly event: 'opened'; readonly durationMs: number; readonly reconnected: boolean }
  /** A link that was ready ended, milliseconds after that. */
  | {
      readonly event: 'closed'
      readonly durationMs: number
      readonly code: number
      readonly wasClean: boolean
    }

/** A message that went through the socket. On `bus.v1` it can hold many events. */
export interface MessageMetric {
  readonly direction: 'sent' | 'received'
  /** Before compression, without the frame's header. */
  readonly bytes: number
  readonly binary: boolean
}

/** Something that failed. */
export interface ErrorMetric {
  /** Where: `connection`, `decode`, `publish` … */
  readonly kind: string
  /** Why: the stable code of the error, else its name. */
  readonly reason: string
  readonly error: Error
}

/** How a publish ended. */
export interface PublishMetric {
  /** Milliseconds from the call to the outcome. */
  readonly durationMs: number
  readonly outcome: 'sent' | 'confirmed' | 'failed'
}

/**
 * Gets what one transport does: implement what you need, and pass it to as many transports as it shall sum up.
 * It is called in passing, so it must be quick; what it throws is an `error` notice of kind `listener`.
 */
export interface MetricsCollector {
  onConnection?(metric: ConnectionMetric): void
  onMessage?(metric: MessageMetric): void
  onError?(metric: ErrorMetric): void
  onPublish?(metric: PublishMetric): void
}

/** Messages and their bytes in one direction. */
export interface TrafficCount {
  readonly messages: number
  readonly bytes: number
}

/** What {@link InMemoryMetrics} has counted: plain data. */
export interface MetricsSnapshot {
  readonly connections: {
    readonly upgraded: number
    readonly opened: number
    readonly closed: number
    /** Open now. */
    readonly open: number
  }
  readonly sent: TrafficCount
  readonly received: TrafficCount
  readonly publishes: {
    readonly sent: number
    readonly confirmed: number
    readonly failed: number
    /** Of those that did not fail, the latest 100. */
    readonly latency: LatencySummary
  }
  /** How often, by reason. */
  readonly errors: Readonly<Record<string, number>>
}

/** Reasons that are counted one by one; what comes after them is `other`, so that no peer can make it grow without end. */
const MAX_REASONS = 100

/**
 * Counts in memory.
 *
 * @example
 * ```ts
 * import { InMemoryMetrics } from '@bus/core'
 * import { webSocketTransport } from '@bus/websocket'
 *
 * const metrics = new InMemoryMetrics()
 * const transport = webSocketTransport({ url: 'wss://events.example/feed', metrics })
 * console.log(metrics.snapshot().sent.bytes, metrics.get('connections.opened'), transport.name)
 * ```
 */
export class InMemoryMetrics implements MetricsCollector {
  #connections = { upgraded: 0, opened: 0, closed: 0 }
  #open = 0
  #traffic = { sent: { messages: 0, bytes: 0 }, received: { messages: 0, bytes: 0 } }
  #publishes = { sent: 0, confirmed: 0, failed: 0 }
  readonly #latency = new LatencyStats()
  readonly #errors = new Map<string, number>()

  onConnection({ event }: ConnectionMetric): void {
    this.#connections[event]++
    if (event === 'opened') this.#open++
    else if (event === 'closed') this.#open--
  }

  onMessage({ direction, bytes }: MessageMetric): void {
    const count = this.#traffic[direction]
    count.messages++
    count.bytes += bytes
  }

  onError({ reason }: ErrorMetric): void {
    const isKnown = this.#errors.has(reason) || this.#errors.size < MAX_REASONS
    const name = isKnown ? reason : 'other'
    this.#errors.set(name, (this.#errors.get(name) ?? 0) + 1)
  }

  onPublish({ durationMs, outcome }: PublishMetric): void {
    this.#publishes[outcome]++
    if (outcome !== 'failed') this.#latency.add(durationMs)
  }

  /** Everything that was counted. */
  snapshot(): MetricsSnapshot {
    const { upgraded, opened, closed } = this.#connections
    return {
      connections: { upgraded, opened, closed, open: this.#open },
      sent: { ...this.#traffic.sent },
      received: { ...this.#traffic.received },
      publishes: { ...this.#publishes, latency: this.#latency.summary() },
      errors: Object.fromEntries(this.#errors),
    }
  }

  /**
   * One figure by its dotted path in the snapshot: `received.bytes`, `errors.handshake`.
   *
   * @param fallback - what is answered when there is no such figure, or not yet. @default 0
   */
  get(path: string, fallback: number = 0): number {
    let found: unknown = this.snapshot()
    const [first = '', ...rest] = path.split('.')
    // A reason may contain dots.
    const names = first === 'errors' ? [first, rest.join('.')] : [first, ...rest]
    for (const name of names) {
      const isObject = typeof found === 'object' && found !== null && Object.hasOwn(found, name)
      found = isObject ? (found as Record<string, unknown>)[name] : undefined
    }
    return typeof found === 'number' ? found : fallback
  }

  /** Counts from 0 again; what is open now stays open. */
  reset(): void {
    this.#connections = { upgraded: 0, opened: 0, closed: 0 }
    this.#traffic = { sent: { messages: 0, bytes: 0 }, received: { messages: 0, bytes: 0 } }
    this.#publishes = { sent: 0, confirmed: 0, failed: 0 }
    this.#latency.reset()
    this.#errors.clear()
  }
}

/** Why something failed, in one word: the stable code of the error, else its name. */
export function reasonOfError(error: Error): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : error.name
}
