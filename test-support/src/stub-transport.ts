/** A transport that does what a test says, for compositions of several. */
import {
  ConnectionError,
  ClosedError,
  type Capabilities,
  type Event,
  type StateName,
  type TransportStatus,
  type ConnectOptions,
  type DrainReport,
  type Feed,
  type Health,
  type ListenOptions,
  type PublishOptions,
  type PublishReceipt,
  type Sink,
  type Transport,
  type TransportEvents,
  type Unsubscribe,
  type QueueStats,
} from '@bus/core'
import { memoryTransport } from '@bus/core/memory'
import { Emitter } from '@bus/core/kit'

const EMPTY: QueueStats = Object.freeze({
  received: 0,
  sent: 0,
  dropped: 0,
  rejected: 0,
  size: 0,
  bytes: 0,
  capacity: 100,
  maxBytes: Infinity,
  waiting: 0,
  fillRatio: 0,
})

/** One subscription of a stub. */
export class StubFeed implements Feed {
  readonly sink: Sink
  readonly settled: number[] = []
  readonly live: Promise<void>
  readies = 0
  hasEnded = false
  goLive: () => void = () => {}
  refuse: (error: Error) => void = () => {}

  constructor(sink: Sink) {
    this.sink = sink
    this.live = new Promise((resolve, reject) => {
      this.goLive = resolve
      this.refuse = reject
    })
    this.live.catch(() => {})
  }

  ready(): void {
    this.readies++
  }

  settle(token: number): void {
    this.settled.push(token)
  }

  unsubscribe(): Promise<void> {
    this.hasEnded = true
    return Promise.resolve()
  }
}

export class StubTransport implements Transport {
  readonly name: string
  capabilities: Capabilities = { ...memoryTransport().capabilities, echo: false }
  stats: QueueStats = EMPTY
  /** What came to it, in order. */
  readonly published: Event[] = []
  readonly limits: PublishOptions[] = []
  readonly emitted: Event[] = []
  readonly feeds: StubFeed[] = []
  connects = 0
  closes = 0
  /** What a publish does. */
  onPublish: (event: Event, options: PublishOptions) => Promise<PublishReceipt> = ({ id }) =>
    Promise.resolve({ id, status: 'confirmed', attempts: 1 })
  /** Fails to be made. */
  isRefused = false
  /** Makes a subscription live at once. */
  isQuick = true
  listeners = 0
  readonly #emitter = new Emitter<TransportEvents>(() => {})
  #status: TransportStatus

  constructor(name = 'stub', state: StateName = 'ready') {
    this.name = name
    this.#status = statusOf(state)
  }

  get status(): TransportStatus {
    return this.#status
  }

  become(state: StateName): void {
    const previous = this.#status
    this.#status = statusOf(state)
    this.tell('status', { status: this.#status, previous })
  }

  tell<K extends keyof TransportEvents>(name: K, notice: TransportEvents[K]): void {
    this.#emitter.emit(name, notice)
  }

  connect({ retry = false }: ConnectOptions = {}): Promise<void> {
    this.connects++
    if (this.isRefused) {
      return retry ? new Promise(() => {}) : Promise.reject(new ConnectionError(this.name))
    }
    if (this.#status.state === 'idle') this.become('ready')
    return Promise.resolve()
  }

  publish(event: Event, options: PublishOptions = {}): Promise<PublishReceipt> {
    this.published.push(event)
    this.limits.push(options)
    return this.onPublish(event, options)
  }

  emit(event: Event): boolean {
    this.emitted.push(event)
    return true
  }

  subscribe(_patterns: readonly string[], sink: Sink): StubFeed {
    const feed = new StubFeed(sink)
    this.feeds.push(feed)
    if (this.isQuick) feed.goLive()
    return feed
  }

  on<K extends keyof TransportEvents>(
    name: K,
    listener: (notice: TransportEvents[K]) => void,
    options?: ListenOptions,
  ): Unsubscribe {
    this.listeners++
    const stop = this.#emitter.on(name, listener, options)
    const once = (): void => {
      this.listeners--
      stop()
    }
    return Object.assign(once, { [Symbol.dispose]: once })
  }

  backpressureStats(): QueueStats {
    return this.stats
  }

  health(): Promise<Health> {
    const isUp = this.#status.state === 'ready'
    return Promise.resolve({ status: isUp ? 'up' : 'down', reasons: isUp ? [] : ['not ready'] })
  }

  async drain(): Promise<DrainReport> {
    await this.close()
    return { unsent: [`left by ${this.name}`], unhandled: 0 }
  }

  close(): Promise<void> {
    this.closes++
    if (this.#status.state !== 'closed') this.become('closed')
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function statusOf(state: StateName): TransportStatus {
  const since = 0
  switch (state) {
    case 'ready':
      return { state, since, generation: 1, protocol: '' }
    case 'connecting':
      return { state, since, attempt: 1 }
    case 'bootstrapping':
      return { state, since, attempt: 1, generation: 1 }
    case 'backoff':
      return { state, since, attempt: 1, delayMs: 1, cause: new ConnectionError('lost') }
    case 'closed':
      return { state, since, cause: new ClosedError('ended') }
    case 'idle':
    case 'draining':
      return { state, since }
  }
}
