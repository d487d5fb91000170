/** Observation: what one transport tells of itself on its channels, to its collector and to its trace. */
import { randomUUID } from 'node:crypto'
import {
  LatencyStats,
  StateTrace,
  reasonOfError,
  redactUrl,
  telemetryOf,
  type ConnectionMetric,
  type Emitter,
  type ErrorKind,
  type MetricsCollector,
  type PublishReceipt,
  type Telemetry,
  type TransportEvents,
  type TransportStatus,
} from '@bus/core'
import type { Connection } from '../link/connection.ts'
import type { ResolvedOptions } from '../options/options.ts'
import { Traffic } from '../frames/traffic.ts'

const transport = 'websocket'

/** One per transport. What nobody listens to costs one read. */
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
  readonly #notices: Emitter<TransportEvents>
  #dialingSince = 0
  #readySince = 0
  #isUp = false
  /** The collector is being told of its own failure. */
  #isReporting = false

  /** @param status - before anything has happened */
  constructor(
    options: ResolvedOptions,
    notices: Emitter<TransportEvents>,
    status: TransportStatus,
  ) {
    const { telemetry } = options
    this.id = telemetry.id ?? randomUUID()
    this.#source = Object.freeze({ transport, id: this.id })
    this.#telemetry = telemetryOf({ prefix: telemetry.prefix })
    this.#collector = options.metrics
    this.#options = options
    this.#notices = notices
    this.trace = new StateTrace(status)
    this.traffic = new Traffic({
      source: this.#source,
      telemetry: this.#telemetry,
      collector: this.#collector,
      roundTrips: this.roundTrips,
      guard: (run) => this.#guard(run),
    })
    this.#follow()
  }

  /** A subscription was added or has ended. */
  subscription(change: 'added' | 'removed', patterns: readonly string[]): void {
    const channel = this.#telemetry.channel(`bus.subscription.${change}`)
    if (channel.hasSubscribers) channel.publish({ ...this.#source, patterns })
  }

  /** Traces one attempt to make a connection. */
  dial(attempt: number, dial: () => Promise<Connection>): Promise<Connection> {
    const operation = this.#telemetry.operation('bus.connect')
    return operation.isTraced ? operation.trace(dial, { ...this.#source, attempt }) : dial()
  }

  /** Measures a publish, where somebody collects that, and gives it back. */
  publish(published: Promise<PublishReceipt>): Promise<PublishReceipt> {
    const collector = this.#collector
    if (collector === undefined) return published
    const since = this.#options.clock.now()
    const tell = (outcome: 'sent' | 'confirmed' | 'failed'): void => {
      const durationMs = this.#options.clock.now() - since
      this.#guard(() => collector.onPublish?.({ durationMs, outcome }))
    }
    published.then(
      ({ status }) => tell(status),
      (error: Error) => {
        tell('failed')
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

  /** Before anybody else listens, so that nothing is missed whatever others do. */
  #follow(): void {
    const notices = this.#notices
    notices.on('status', (change) => this.#onStatus(change))
    notices.on('open', (notice) => this.#onOpen(notice))
    notices.on('close', (notice) => this.#onClose(notice))
    notices.on('error', ({ kind, error }) => this.#failed(kind, error))
    notices.on('breaker', (change) => {
      const channel = this.#telemetry.channel('bus.breaker')
      if (channel.hasSubscribers) channel.publish({ ...this.#source, ...change })
    })
    notices.on('heartbeat-timeout', (notice) => {
      const channel = this.#telemetry.channel('bus.connection.timeout')
      if (channel.hasSubscribers) channel.publish({ ...this.#source, ...notice })
    })
    notices.on('subscriptions-restored', ({ patterns }) => {
      const channel = this.#telemetry.channel('bus.subscription.restored')
      if (channel.hasSubscribers) channel.publish({ ...this.#source, patterns })
    })
    notices.on('subscriptions-failed', ({ patterns, error }) => {
      const channel = this.#telemetry.channel('bus.subscription.failed')
      if (channel.hasSubscribers) channel.publish({ ...this.#source, patterns, error })
    })
    notices.on('rate-limit', (notice) => this.#onRateLimit(notice))
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
      const url = redactUrl(this.#options.url)
      channel.publish({ ...this.#source, url, generation, reconnected, protocol, durationMs })
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

  /** A collector that throws changes nothing, and is not told that it did. */
  #guard(run: () => void): void {
    try {
      run()
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      this.#isReporting = true
      this.#notices.emit('error', { kind: 'listener', error })
      this.#isReporting = false
    }
  }
}

type StatusOf<S extends TransportStatus['state']> = Extract<TransportStatus, { readonly state: S }>
