/** A transport around another one that changes nothing: what lives in the zoo changes one thing of it. */
import type {
  Capabilities,
  CloseOptions,
  ConnectOptions,
  DrainOptions,
  DrainReport,
  EmitOptions,
  Event,
  Feed,
  FeedOptions,
  Health,
  HealthOptions,
  ListenOptions,
  PublishOptions,
  PublishReceipt,
  QueueStats,
  Sink,
  Transport,
  TransportEvents,
  TransportStatus,
  Unsubscribe,
} from '@bus/core'

/** Passes everything on. */
export class Wrapped implements Transport {
  protected readonly inner: Transport

  constructor(inner: Transport) {
    this.inner = inner
  }

  get name(): string {
    return this.inner.name
  }

  get capabilities(): Capabilities {
    return this.inner.capabilities
  }

  get status(): TransportStatus {
    return this.inner.status
  }

  connect(options?: ConnectOptions): Promise<void> {
    return this.inner.connect(options)
  }

  publish(event: Event, options?: PublishOptions): Promise<PublishReceipt> {
    return this.inner.publish(event, options)
  }

  emit(event: Event, options?: EmitOptions): boolean {
    return this.inner.emit(event, options)
  }

  subscribe(patterns: readonly string[], sink: Sink, options?: FeedOptions): Feed {
    return this.inner.subscribe(patterns, sink, options)
  }

  on<K extends keyof TransportEvents>(
    name: K,
    listener: (notice: TransportEvents[K]) => void,
    options?: ListenOptions,
  ): Unsubscribe {
    return this.inner.on(name, listener, options)
  }

  backpressureStats(): QueueStats {
    return this.inner.backpressureStats()
  }

  health(options?: HealthOptions): Promise<Health> {
    return this.inner.health(options)
  }

  drain(options?: DrainOptions): Promise<DrainReport> {
    return this.inner.drain(options)
  }

  close(options?: CloseOptions): Promise<void> {
    return this.inner.close(options)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** A receipt for an event that went nowhere. */
export function receiptFor(event: Event): PublishReceipt {
  return { id: event.id, status: 'confirmed', attempts: 1 }
}

/** A feed whose parts can be replaced. */
export function feedLike(feed: Feed, changes: Partial<Feed>): Feed {
  return {
    live: changes.live ?? feed.live,
    ready: changes.ready ?? ((): void => feed.ready()),
    settle: changes.settle ?? ((token): void => feed.settle(token)),
    unsubscribe: changes.unsubscribe ?? ((): Promise<void> => feed.unsubscribe()),
  }
}
