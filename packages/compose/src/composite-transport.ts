/** Several transports that act as one: their subscriptions, notices, status and end. Publishing is left to the classes that extend it. */
import {
  AbortedError,
  ClosedError,
  DrainingError,
  type Capabilities,
  type Clock,
  type BusError,
  type Event,
  type TransportStatus,
  type CloseOptions,
  type ConnectOptions,
  type DrainOptions,
  type DrainReport,
  type EmitOptions,
  type Feed,
  type FeedOptions,
  type Health,
  type HealthOptions,
  type ListenOptions,
  type PublishOptions,
  type PublishReceipt,
  type Sink,
  type Transport,
  type TransportEvents,
  type Unsubscribe,
  type QueueStats,
  type Undeliverable,
} from '@bus/core'
import { assertPattern, Emitter, withDeadline } from '@bus/core/kit'
import { bestStatus, combineCapabilities, combineHealth, sumStats } from './combine.ts'
import type { Member } from './member.ts'
import { Members } from './members.ts'
import { NoConnectionsError } from './no-connections-error.ts'
import { SharedFeeds } from './shared-feeds.ts'

/** What every composition is made with. */
export interface CompositeInit {
  readonly name: string
  readonly clock: Clock
  /** Milliseconds that a failure of a member counts. */
  readonly errorDecayMs: number
  /** Events that are remembered, to know them when they come on another way too. */
  readonly dedupeWindow: number
  /** Whether an event may overtake another one. */
  readonly keepsOrder: boolean
  /** The members are ours: they are drained and closed with us, and when all have ended, so have we. */
  readonly ownsMembers: boolean
}

/** One instance serves one bus for life, as any transport does. */
export abstract class CompositeTransport implements Transport {
  readonly name: string
  protected readonly init: CompositeInit
  protected readonly members: Members
  protected readonly feeds: SharedFeeds
  protected readonly pending: PendingPublishes = new PendingPublishes()
  readonly #emitter: Emitter<TransportEvents> = new Emitter<TransportEvents>((error, name) => {
    if (name !== 'error') this.notify('error', { kind: 'listener', error: error as Error })
  })
  #state: 'open' | 'draining' | 'closed' = 'open'
  #since: number
  #lastStatus: TransportStatus
  #closing: Promise<void> | undefined
  #isStarted = false

  protected constructor(init: CompositeInit) {
    this.name = init.name
    this.init = init
    this.#since = init.clock.now()
    const members: Members = new Members(init.clock, init.errorDecayMs, {
      added: (member) => {
        this.feeds.add(member)
        if (this.#isStarted) connect(member)
        this.#onStatus()
      },
      removed: (member) => {
        this.feeds.remove(member)
        this.#onStatus()
      },
      notice: (name, notice) => this.#onNotice(name, notice),
    })
    this.members = members
    this.feeds = new SharedFeeds(init.dedupeWindow, {
      get members() {
        return members.list
      },
      failed: (error) => this.notify('error', { kind: 'subscription', error }),
    })
    this.#lastStatus = this.status
  }

  abstract publish(event: Event, options?: PublishOptions): Promise<PublishReceipt>
  abstract emit(event: Event, options?: EmitOptions): boolean
  /** A member's status changed, or there is another one. */
  protected abstract changed(): void

  get capabilities(): Capabilities {
    const all = this.members.list.map(({ transport }) => transport.capabilities)
    return combineCapabilities(all, this.init)
  }

  get status(): TransportStatus {
    const since = this.#since
    if (this.#state === 'closed') return Object.freeze({ state: 'closed', since, cause: undefined })
    if (this.#state === 'draining') return Object.freeze({ state: 'draining', since })
    const best = bestStatus(this.members.list.map(({ transport }) => transport.status))
    const isOver = best?.state === 'closed' && !this.init.ownsMembers
    return best === undefined || isOver ? Object.freeze({ state: 'idle', since }) : best
  }

  async connect(options: ConnectOptions = {}): Promise<void> {
    const refusal = this.refusal()
    if (refusal !== undefined) throw refusal
    const { signal } = options
    if (signal?.aborted === true) throw new AbortedError('Connecting', { cause: signal.reason })
    this.start()
    if (this.status.state === 'ready') return
    const transports = this.members.list.map(({ transport }) => transport)
    await connectAny(transports, options)
  }

  subscribe(patterns: readonly string[], sink: Sink, options: FeedOptions = {}): Feed {
    for (const pattern of patterns) assertPattern(pattern)
    if (this.#state === 'closed') {
      return this.feeds.subscribe(patterns, sink, options, this.#closedError())
    }
    this.start()
    return this.feeds.subscribe(patterns, sink, options, undefined)
  }

  on<K extends keyof TransportEvents>(
    name: K,
    listener: (notice: TransportEvents[K]) => void,
    options?: ListenOptions,
  ): Unsubscribe {
    return this.#emitter.on(name, listener, options)
  }

  backpressureStats(): QueueStats {
    return sumStats(this.members.list.map(({ transport }) => transport.backpressureStats()))
  }

  async health(options?: HealthOptions): Promise<Health> {
    const all = this.members.list.map(async ({ name, transport }) => ({
      name,
      health: await transport.health(options),
    }))
    return combineHealth(await Promise.all(all), this.backpressureStats())
  }

  async drain(options: DrainOptions = {}): Promise<DrainReport> {
    const { timeoutMs = 30_000, signal } = options
    const { clock, ownsMembers } = this.init
    if (this.#state !== 'open') {
      await this.#closing
      return Object.freeze({ unsent: [], unhandled: 0 })
    }
    this.#enter('draining')
    const deadline = clock.now() + timeoutMs
    const limits = { timeoutMs, signal, clock, what: 'Draining' }
    // Running out of time is no error here: the members' reports say what was left.
    await withDeadline(() => this.pending.whenIdle(), limits).catch(() => {})
    // No member may have them: they wait for one that is ready.
    const waiting = this.pending.ids()
    const left = { ...options, timeoutMs: Math.max(deadline - clock.now(), 0) }
    const drained = ownsMembers ? this.members.list : []
    const reports = await Promise.all(drained.map(({ transport }) => transport.drain(left)))
    await this.close()
    const unsent = [...new Set([...waiting, ...reports.flatMap((report) => report.unsent)])]
    return Object.freeze({ unsent, unhandled: 0 })
  }

  close(options?: CloseOptions): Promise<void> {
    this.#closing ??= this.#close(options)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Why nothing can be taken any more. */
  protected refusal(): BusError | undefined {
    if (this.#state === 'open') return undefined
    if (this.#state === 'closed') return this.#closedError()
    return new DrainingError(`The ${this.name} is draining`, { outcome: 'not-sent' })
  }

  /** First use: the members connect, each as often as its own options say. */
  protected start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    this.members.list.forEach(connect)
  }

  protected notify<K extends keyof TransportEvents>(name: K, notice: TransportEvents[K]): void {
    this.#emitter.emit(name, notice)
  }

  #onNotice<K extends keyof TransportEvents>(name: K, notice: TransportEvents[K]): void {
    if (this.#state === 'closed') return
    if (name === 'status') this.#onStatus()
    else if (!this.pending.keeps(name, notice)) this.notify(name, notice)
  }

  #onStatus(): void {
    this.feeds.check()
    this.changed()
    this.#tellStatus()
  }

  #enter(state: 'draining' | 'closed'): void {
    this.#state = state
    this.#since = this.init.clock.now()
    this.#tellStatus()
  }

  #tellStatus(): void {
    const { status } = this
    const previous = this.#lastStatus
    if (status.state === previous.state) return
    this.#lastStatus = status
    this.notify('status', { status, previous })
  }

  async #close(options: CloseOptions | undefined): Promise<void> {
    const members = this.members.list
    this.#state = 'closed'
    this.feeds.close(this.#closedError())
    this.changed()
    this.members.clear()
    if (this.init.ownsMembers) {
      await Promise.all(members.map(({ transport }) => transport.close(options)))
    }
    this.#enter('closed')
    this.#emitter.clear()
  }

  #closedError(): ClosedError {
    return new ClosedError(`The ${this.name} is closed`, { outcome: 'not-sent' })
  }
}

function connect({ transport }: Member): void {
  if (transport.status.state !== 'idle') return
  // It reports its failures itself, by notices.
  transport.connect({ retry: true }).catch(() => {})
}

/** Publishes that are pending: what one transport gives up may still be sent by another. */
class PendingPublishes {
  /** By id: the last notice that a transport dropped the event. */
  readonly #events = new Map<string, Undeliverable | undefined>()
  #waiters: (() => void)[] = []
  #count = 0

  /** Resolves when none is pending. */
  whenIdle(): Promise<void> {
    if (this.#count === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  /** The ids of those that are. */
  ids(): readonly string[] {
    return [...this.#events.keys()]
  }

  /** Runs a publish; `lost` gets the notice that was kept, should it fail. */
  async run<T>(
    id: string,
    publish: () => Promise<T>,
    lost: (notice: Undeliverable) => void,
  ): Promise<T> {
    this.#count++
    this.#events.set(id, undefined)
    try {
      return await publish()
    } catch (error) {
      const notice = this.#events.get(id)
      if (notice !== undefined) lost(notice)
      throw error
    } finally {
      this.#events.delete(id)
      this.#count--
      if (this.#count === 0) for (const resolve of this.#waiters.splice(0)) resolve()
    }
  }

  /** Keeps back that an event was given up, as long as its publish is pending. */
  keeps<K extends keyof TransportEvents>(name: K, notice: TransportEvents[K]): boolean {
    if (name !== 'undeliverable') return false
    const lost = notice as Undeliverable
    const id = lost.event?.id
    if (id === undefined || lost.direction !== 'outbound' || !this.#events.has(id)) return false
    this.#events.set(id, lost)
    return true
  }
}

/** Resolves when the first is ready. @throws `NoConnectionsError` when all have failed, `AbortedError` by the signal. */
async function connectAny(
  transports: readonly Transport[],
  options: ConnectOptions,
): Promise<void> {
  try {
    await Promise.any(transports.map((transport) => transport.connect(options)))
  } catch (cause) {
    const { signal } = options
    if (signal?.aborted === true) throw new AbortedError('Connecting', { cause: signal.reason })
    const message = `None of ${transports.length} connections could be made`
    throw new NoConnectionsError(message, { cause })
  }
}
