/** Observation: what one transport reports of itself on its channels, to its collector and to its trace. */

import { randomUUID } from 'node:crypto'
import type {
  ConnectionMetric,
  ErrorKind,
  Listenable,
  MetricsCollector,
  PublishReceipt,
  Telemetry,
  TransportEvents,
  TransportStatus,
  TransportMetrics,
  Health,
  HealthOptions,
} from '@bus/core'
import { LatencyStats, StateTrace, reasonOfError, redactUrl, telemetryOf } from '@bus/core/kit'
import type { ResolvedOptions } from '../options/options.ts'
import { Traffic } from '../frames/frame-tap.ts'
import type { HeartbeatStats } from '../../socket/heartbeat.ts'
import type { OpossumBreaker } from '../reconnect/breaker.ts'
import type { Lifecycle } from '../reconnect/lifecycle.ts'
import type { Link } from '../link/link.ts'
import type { Registry } from '../subscriptions/registry.ts'
import type { Outbox } from '../outbox/outbox.ts'

const transport = 'websocket'

/** One per transport. A channel without listeners costs one read. */
export class Observation {
  /** Of this transport among all others. */
  readonly id: string
  readonly trace: StateTrace
  readonly traffic: Traffic
  /** Round trips of pings. */
  readonly roundTrips: LatencyStats = new LatencyStats()
  readonly #source: { readonly transport: string; readonly id: string }
  readonly #telemetry: Telemetry
  readonly #collector: MetricsCollector | undefined
  readonly #options: ResolvedOptions
  readonly #report: (error: Error) => void
  /** Where the last connection was made to. */
  #url = ''
  #dialingSince = 0
  #readySince = 0
  #isUp = false
  /** The collector gets the report of its own failure. */
  #isReporting = false

  /**
   * @param events - of the client: nothing else listens before, so that nothing is missed whatever others do
   * @param status - before anything has happened
   * @param report - reports a collector that throws
   */
  constructor(
    options: ResolvedOptions,
    events: Listenable<TransportEvents>,
    status: TransportStatus,
    report: (error: Error) => void,
  ) {
    const { telemetry } = options
    this.id = telemetry.id ?? randomUUID()
    this.#source = Object.freeze({ transport, id: this.id })
    this.#telemetry = telemetryOf({ prefix: telemetry.prefix })
    this.#collector = options.metrics
    this.#options = options
    this.#report = report
    this.trace = new StateTrace(status)
    this.traffic = new Traffic({
      source: this.#source,
      telemetry: this.#telemetry,
      collector: this.#collector,
      roundTrips: this.roundTrips,
      guard: (run) => this.#guard(run),
    })
    this.#follow(events)
  }

  /** A subscription was added or has ended. */
  subscription(change: 'added' | 'removed', patterns: readonly string[]): void {
    const channel = this.#telemetry.channel(`bus.subscription.${change}`)
    if (channel.hasSubscribers) channel.publish({ ...this.#source, patterns })
  }

  /** Traces one attempt to make a connection. */
  async dial(attempt: number, dial: () => Promise<Link>): Promise<Link> {
    const operation = this.#telemetry.operation('bus.connect')
    const link = await (operation.channel.hasSubscribers
      ? operation.trace(dial, { ...this.#source, attempt })
      : dial())
    this.#url = redactUrl(link.url)
    return link
  }

  /** Measures a publish, where the collector takes that, and returns it. */
  publish(published: Promise<PublishReceipt>): Promise<PublishReceipt> {
    const collector = this.#collector
    if (collector === undefined) return published
    const since = this.#options.clock.now()
    const report = (outcome: 'sent' | 'confirmed' | 'failed'): void => {
      const durationMs = this.#options.clock.now() - since
      this.#guard(() => collector.onPublish?.({ durationMs, outcome }))
    }
    published.then(
      ({ status }) => report(status),
      (error: Error) => {
        report('failed')
        this.#failed('publish', error)
      },
    )
    return published
  }

  /** A link was given to another owner, or taken over. */
  handover(action: 'detached' | 'adopted'): void {
    const channel = this.#telemetry.channel('bus.connection.handover')
    if (channel.hasSubscribers) channel.publish({ ...this.#source, action })
  }

  #follow(events: Listenable<TransportEvents>): void {
    events.on('status', (change) => this.#onStatus(change))
    events.on('open', (event) => this.#onOpen(event))
    events.on('close', (event) => this.#onClose(event))
    events.on('error', ({ kind, error }) => this.#failed(kind, error))
    events.on('breaker', (change) => {
      const channel = this.#telemetry.channel('bus.breaker')
      if (channel.hasSubscribers) channel.publish({ ...this.#source, ...change })
    })
    events.on('heartbeat-timeout', (event) => {
      const channel = this.#telemetry.channel('bus.connection.timeout')
      if (channel.hasSubscribers) channel.publish({ ...this.#source, ...event })
    })
    events.on('subscriptions-restored', ({ patterns }) => {
      const channel = this.#telemetry.channel('bus.subscription.restored')
      if (channel.hasSubscribers) channel.publish({ ...this.#source, patterns })
    })
    events.on('subscriptions-failed', ({ patterns, error }) => {
      const channel = this.#telemetry.channel('bus.subscription.failed')
      if (channel.hasSubscribers) channel.publish({ ...this.#source, patterns, error })
    })
    events.on('rate-limit', (event) => this.#onRateLimit(event))
  }

  #onStatus(change: TransportEvents['status']): void {
    const { status, previous } = change
    this.trace.note(status)
    const statuses = this.#telemetry.channel('bus.status')
    if (statuses.hasSubscribers) statuses.publish({ ...this.#source, ...change })
    if (status.state === 'connecting') this.#dialingSince = status.since
    else if (status.state === 'ready') this.#readySince = status.since
    else if (status.state === 'bootstrapping') this.#onUpgrade(status)
    if (previous.state === 'connecting' || previous.state === 'bootstrapping') {
      this.#onAttemptEnd(status, previous.attempt)
    }
    if (status.state === 'backoff') this.#onBackoff(status)
    this.#gauge(status)
  }

  #onUpgrade({ attempt, generation, since }: StatusOf<'bootstrapping'>): void {
    const durationMs = since - this.#dialingSince
    const channel = this.#telemetry.channel('bus.connection.upgrade')
    if (channel.hasSubscribers) {
      channel.publish({ ...this.#source, attempt, generation, durationMs })
    }
    this.#connection({ event: 'upgraded', durationMs })
  }

  #onAttemptEnd(status: TransportStatus, attempt: number): void {
    const error = 'cause' in status ? status.cause : undefined
    const channel = this.#telemetry.channel('bus.connection.failure')
    if (error === undefined || !channel.hasSubscribers) return
    channel.publish({ ...this.#source, attempt, error })
  }

  #onBackoff({ attempt, delayMs, cause }: StatusOf<'backoff'>): void {
    const channel = this.#telemetry.channel('bus.reconnect')
    if (channel.hasSubscribers) channel.publish({ ...this.#source, attempt, delayMs, cause })
  }

  /** A link that is drained is up until it ends. */
  #gauge({ state }: TransportStatus): void {
    const isUp = state === 'ready' || (state === 'draining' && this.#isUp)
    if (isUp === this.#isUp) return
    this.#isUp = isUp
    const channel = this.#telemetry.channel('bus.connection.up')
    if (channel.hasSubscribers) channel.publish({ ...this.#source, value: isUp ? 1 : 0 })
  }

  #onOpen({ generation, reconnected, protocol }: TransportEvents['open']): void {
    const durationMs = this.#readySince - this.#dialingSince
    const channel = this.#telemetry.channel('bus.connection.open')
    if (channel.hasSubscribers) {
      channel.publish({
        ...this.#source,
        url: this.#url,
        generation,
        reconnected,
        protocol,
        durationMs,
      })
    }
    this.#connection({ event: 'opened', durationMs, reconnected })
  }

  #onClose({ code, reason, wasClean, initiatedBy }: TransportEvents['close']): void {
    const durationMs = this.#options.clock.now() - this.#readySince
    const channel = this.#telemetry.channel('bus.connection.close')
    if (channel.hasSubscribers) {
      channel.publish({ ...this.#source, code, reason, wasClean, initiatedBy, durationMs })
    }
    this.#connection({ event: 'closed', durationMs, code, wasClean })
  }

  #onRateLimit({ action, cost, retryAfterMs }: TransportEvents['rate-limit']): void {
    if (action === 'queued') {
      const channel = this.#telemetry.channel('bus.rate.queued')
      if (channel.hasSubscribers) {
        channel.publish({ ...this.#source, cost, waitMs: retryAfterMs })
      }
    } else {
      const channel = this.#telemetry.channel('bus.rate.rejected')
      if (channel.hasSubscribers) channel.publish({ ...this.#source, cost, retryAfterMs })
    }
  }

  #connection(metric: ConnectionMetric): void {
    const collector = this.#collector
    if (collector !== undefined) this.#guard(() => collector.onConnection?.(metric))
  }

  #failed(kind: ErrorKind | 'publish', error: Error): void {
    const collector = this.#collector
    if (collector === undefined || this.#isReporting) return
    const reason = reasonOfError(error)
    this.#guard(() => collector.onError?.({ kind, reason, error }))
  }

  /** A collector that throws changes nothing, and gets no report of that. */
  #guard(run: () => void): void {
    try {
      run()
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      this.#isReporting = true
      this.#report(error)
      this.#isReporting = false
    }
  }
}

type StatusOf<S extends TransportStatus['state']> = Extract<TransportStatus, { readonly state: S }>

/** Where the figures come from. */
export interface MetricsSources extends StatsSources {
  readonly lifecycle: Lifecycle
  readonly observation: Observation
  readonly breaker: OpossumBreaker | undefined
  readonly reconnector: { readonly link: Link | undefined }
  readonly registry: Registry
}

/**
 * A picture of one moment; nothing in it changes any more.
 *
 * @param now - of the transport's monotonic clock
 */
export function transportMetrics(sources: MetricsSources, now: number): TransportMetrics {
  const { observation, outbox, breaker, registry } = sources
  const { link } = sources.reconnector
  const stats = statsOf(sources)
  const { uptimeMs, failures } = observation.trace.read(now)
  const over = observation.traffic.bytes
  const open = link?.bytes ?? { sent: 0, received: 0 }
  return Object.freeze({
    transport: 'websocket',
    id: observation.id,
    state: sources.lifecycle.state,
    uptimeMs,
    queue: outbox.stats(),
    unconfirmed: outbox.underWay,
    ...(breaker === undefined ? {} : { breaker: breaker.stats() }),
    ...(link === undefined ? {} : { heartbeat: heartbeatOf(link.heartbeatStats(), now) }),
    roundTrip: observation.roundTrips.summary(),
    subscriptions: { count: registry.size, patterns: registry.patterns(), held: registry.held },
    links: {
      made: sources.linksMade,
      reconnects: stats.reconnects,
      failures,
      isPaused: link?.isPaused ?? false,
      awaited: link?.awaited ?? 0,
    },
    events: { sent: stats.sent, resent: stats.resent, received: stats.received },
    bytes: {
      sent: over.sent + open.sent,
      received: over.received + open.received,
      buffered: link?.bufferedAmount ?? 0,
    },
  })
}

function heartbeatOf(
  { missed, lastInboundAt, lastPongAt }: HeartbeatStats,
  now: number,
): NonNullable<TransportMetrics['heartbeat']> {
  return {
    missed,
    ...(lastInboundAt === undefined ? {} : { lastInboundAgeMs: now - lastInboundAt }),
    ...(lastPongAt === undefined ? {} : { lastPongAgeMs: now - lastPongAt }),
  }
}

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
  readonly session: { readonly received: number }
  readonly receivedBefore: number
  readonly linksMade: number
}

/** The counters now. */
export function statsOf(sources: StatsSources): WebSocketTransportStats {
  const { outbox, session, receivedBefore, linksMade } = sources
  const { sent } = outbox.stats()
  const received = receivedBefore + session.received
  const reconnects = Math.max(linksMade - 1, 0)
  return { sent, resent: outbox.resent, received, reconnects }
}

/** Where the facts come from. */
interface HealthSources {
  readonly lifecycle: Lifecycle
  readonly reconnector: { readonly link: Link | undefined }
  readonly breaker: OpossumBreaker | undefined
  readonly outbox: Outbox
}

type Settings = Pick<ResolvedOptions, 'queue' | 'clock'>

/** What is known, after a ping to the other side where that is requested and there is a link. */
export async function health(
  sources: HealthSources,
  settings: Settings,
  options: HealthOptions,
): Promise<Health> {
  const { link } = sources.reconnector
  if (options.probe !== true || link === undefined) return known(sources, settings)
  const { timeoutMs = 5_000, signal } = options
  try {
    await link.probe(signal === undefined ? { timeoutMs } : { timeoutMs, signal })
    return known(sources, settings)
  } catch (error) {
    if (signal?.aborted === true) throw error
    const { status, reasons, ...rest } = known(sources, settings)
    const judged = status === 'down' ? 'down' : 'degraded'
    return { ...rest, status: judged, reasons: [...reasons, 'The probe was not answered'] }
  }
}

/** What is known without asking the other side. */
function known(sources: HealthSources, settings: Settings): Health {
  const { link } = sources.reconnector
  const { status } = sources.lifecycle
  const breaker = sources.breaker?.state
  const queue = sources.outbox.stats()
  const reasons: string[] = []
  const heartbeat = link?.heartbeatStats()
  if (status.state !== 'ready') reasons.push(describe(status))
  if (breaker !== undefined && breaker !== 'closed')
    reasons.push(`The circuit breaker is ${breaker}`)
  if (heartbeat !== undefined && heartbeat.missed > 0) {
    reasons.push(`${heartbeat.missed} pings without an answer`)
  }
  if (link?.isHeld === true) reasons.push('Reading is paused: a subscription has no room')
  if (queue.fillRatio >= settings.queue.warningThreshold) {
    reasons.push(`The outbox is ${Math.round(queue.fillRatio * 100)} % full`)
  }
  const isDown = status.state === 'closed' || status.state === 'idle'
  return {
    status: isDown ? 'down' : reasons.length === 0 ? 'up' : 'degraded',
    reasons,
    queue,
    ...(breaker === undefined ? {} : { breaker }),
    ...(heartbeat?.lastInboundAt === undefined
      ? {}
      : { lastInboundAgeMs: settings.clock.now() - heartbeat.lastInboundAt }),
    ...(heartbeat?.rttMs === undefined ? {} : { rttMs: heartbeat.rttMs }),
  }
}

function describe(status: TransportStatus): string {
  switch (status.state) {
    case 'idle':
      return 'Not connected yet: the first publish or subscription connects, or connect()'
    case 'connecting':
      return `Connecting, attempt ${status.attempt}`
    case 'bootstrapping':
      return 'The connection is being made ready'
    case 'backoff':
      return `Waiting ${Math.round(status.delayMs)} ms before the next attempt: ${status.cause.message}`
    case 'draining':
      return 'Draining'
    case 'closed':
      return status.cause === undefined ? 'Closed' : `Closed: ${status.cause.message}`
    case 'ready':
      return 'Ready'
  }
}
