/** The implementation of the bus: it wires publisher, subscriptions, notices and shutdown. */

import type { Readable, Writable } from 'node:stream'
import type { Capabilities } from '../contract/capabilities.ts'
import {
  AbortedError,
  ClosedError,
  ConfigError,
  DrainingError,
  UnknownSubscriptionError,
  type BusError,
} from '../contract/errors.ts'
import type { Event } from '../contract/event.ts'
import { KnownPayloads } from '../contract/schema.ts'
import type { TransportStatus } from '../contract/status.ts'
import type { EventMap } from '../contract/event-map.ts'
import type { Handler, SubscribeOptions, Subscription } from '../contract/subscriber.ts'
import type {
  CloseOptions,
  ConnectOptions,
  DrainOptions,
  DrainReport,
  HealthOptions,
  ListenOptions,
  Unsubscribe,
} from '../contract/transport.ts'
import type { TransportTrace } from '../observe/trace.ts'
import type { QueueStats } from '../queue/queue-options.ts'
import { InMemoryDeadLetterQueue, type DeadLetterQueue } from '../resilience/dead-letters.ts'
import {
  resolveBusOptions,
  type ResolvedBusOptions,
  type BusOptions,
  type EventSchemas,
  type InputOf,
  type OutputOf,
} from './bus-options.ts'
import { busMetrics, transportTrace, type Bus, type BusHealth, type BusMetrics } from './bus.ts'
import { iterate, type IterateOptions } from './iterate.ts'
import { Notices, type BusEvents } from './notices.ts'
import { Publisher } from './publisher.ts'
import { HandlingScope } from './handler-runner.ts'
import { readableOf, writableOf, type ReadableOptions, type WritableOptions } from './streams.ts'
import { Subscriptions } from './subscriptions.ts'

type State = 'open' | 'draining' | 'closed'

/** What {@link createBus} gives. */
class EventBus implements Bus {
  /** The publisher's own: every event comes this way, so nothing lies between. */
  readonly publish: Bus['publish']
  readonly emit: Bus['emit']
  readonly #options: ResolvedBusOptions
  readonly #scope = new HandlingScope()
  readonly #notices: Notices
  readonly #publisher: Publisher
  readonly #subscriptions: Subscriptions
  #state: State = 'open'
  #drained: Promise<DrainReport> | undefined
  #closed: Promise<void> | undefined
  /** Events that were given up at close, for the report of a drain that was under way. */
  #unhandled = 0

  constructor(options: ResolvedBusOptions) {
    const { transport, deadLetters, onError } = options
    this.#options = options
    this.#notices = new Notices(transport, deadLetters, onError, options.telemetry)
    const known = new KnownPayloads()
    this.#publisher = new Publisher(options, {
      notices: this.#notices,
      scope: this.#scope,
      known,
      refusal: () => this.#refusal(),
    })
    this.publish = this.#publisher.publish.bind(this.#publisher)
    this.emit = this.#publisher.emit.bind(this.#publisher)
    this.#subscriptions = new Subscriptions(options, {
      notices: this.#notices,
      scope: this.#scope,
      known,
    })
    transport.on('status', ({ status }) => {
      if (status.state === 'ready') this.#notices.connected()
      if (status.state === 'closed' && this.#state !== 'closed') this.#onOver(status.cause)
    })
  }

  get capabilities(): Capabilities {
    return this.#options.transport.capabilities
  }

  get status(): TransportStatus {
    return this.#options.transport.status
  }

  get deadLetters(): DeadLetterQueue | undefined {
    return this.#options.deadLetters
  }

  get subscriptions(): readonly Subscription[] {
    return this.#subscriptions.list()
  }

  async connect(options: ConnectOptions = {}): Promise<void> {
    const refusal = this.#refusal()
    if (refusal !== undefined) throw refusal
    await this.#options.transport.connect(options)
  }

  async subscribe(
    patterns: string | readonly string[],
    handler: Handler,
    options?: SubscribeOptions,
  ): Promise<Subscription> {
    if (this.#state !== 'open') throw this.#notOpen()
    return this.#subscriptions.add(patterns, handler, options)
  }

  async unsubscribe(subscription: Subscription | string): Promise<void> {
    const id = typeof subscription === 'string' ? subscription : subscription.id
    const found = this.#subscriptions.get(id)
    if (found !== undefined) return found.unsubscribe()
    throw new UnknownSubscriptionError(`No live subscription has the id ${id}`)
  }

  on<K extends keyof BusEvents>(
    name: K,
    listener: (notice: BusEvents[K]) => void,
    options?: ListenOptions,
  ): Unsubscribe {
    return this.#notices.on(name, listener, options)
  }

  events(
    patterns: string | readonly string[],
    options?: IterateOptions,
  ): AsyncIterableIterator<Event> & AsyncDisposable {
    return iterate(this, patterns, options)
  }

  toReadable(patterns: string | readonly string[], options?: ReadableOptions): Readable {
    return readableOf(this, patterns, options)
  }

  toWritable(options?: WritableOptions): Writable {
    return writableOf(this, options)
  }

  backpressureStats(): QueueStats {
    return this.#options.transport.backpressureStats()
  }

  async health(options?: HealthOptions): Promise<BusHealth> {
    const health = await this.#options.transport.health(options)
    return Object.freeze({ ...health, subscriptions: this.#subscriptions.health() })
  }

  metrics(): BusMetrics {
    const { transport, deadLetters } = this.#options
    return busMetrics(transport, this.#subscriptions.list(), deadLetters)
  }

  trace(): TransportTrace | undefined {
    return transportTrace(this.#options.transport)
  }

  drain(options: DrainOptions = {}): Promise<DrainReport> {
    this.#drained ??= this.#drain(options)
    return this.#drained
  }

  close(options?: CloseOptions): Promise<void> {
    this.#closed ??= this.#close(options)
    return this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain()
  }

  async #drain(options: DrainOptions): Promise<DrainReport> {
    if (this.#state === 'closed') return Object.freeze({ unsent: [], unhandled: 0 })
    const { timeoutMs = 30_000, signal } = options
    assertTimeout(timeoutMs)
    this.#state = 'draining'
    this.#publisher.restrict()
    const { clock, transport } = this.#options
    const deadline = clock.now() + timeoutMs
    let unsent: readonly string[] = []
    try {
      await this.#subscriptions.finish({ clock, timeoutMs, signal })
      const left = Math.max(0, deadline - clock.now())
      if (this.#closed === undefined) {
        this.#unhandled += this.#subscriptions.abandon(closedError())
        ;({ unsent } = await transport.drain(
          signal ? { timeoutMs: left, signal } : { timeoutMs: left },
        ))
      }
    } finally {
      await this.close()
    }
    if (signal?.aborted === true) throw new AbortedError('drain', { cause: signal.reason })
    const { deadLetters } = this.#options
    // Others may last longer than the process.
    const dying = deadLetters instanceof InMemoryDeadLetterQueue ? deadLetters.size : 0
    return Object.freeze({
      unsent,
      unhandled: this.#unhandled,
      ...(dying > 0 && { deadLetters: dying }),
    })
  }

  async #close(options: CloseOptions | undefined): Promise<void> {
    this.#state = 'closed'
    this.#publisher.close()
    this.#unhandled += this.#subscriptions.abandon(closedError())
    try {
      await this.#options.transport.close(options)
    } finally {
      this.#notices.close()
    }
  }

  /** The transport is over for good, and this bus was not closed: no consumer may wait on for events. */
  #onOver(cause: BusError | undefined): void {
    const why = cause === undefined ? '' : `: ${cause.message}`
    this.#unhandled += this.#subscriptions.fail(
      new ClosedError(`The transport is over for good, so nothing more is received${why}`, {
        ...(cause && { cause }),
      }),
    )
  }

  /** Why nothing may be published now. */
  #refusal(): Error | undefined {
    if (this.#state === 'open') return undefined
    // What a handler publishes while it finishes belongs to the event that it handles.
    if (this.#state === 'draining' && this.#scope.current?.live === true) return undefined
    return this.#notOpen()
  }

  #notOpen(): Error {
    if (this.#state === 'closed') return closedError()
    return new DrainingError('The bus is draining', { outcome: 'not-sent' })
  }
}

function closedError(): ClosedError {
  return new ClosedError('The bus is closed', { outcome: 'not-sent' })
}

function assertTimeout(timeoutMs: unknown): void {
  if (typeof timeoutMs === 'number' && timeoutMs >= 0) return
  throw ConfigError.expected('timeoutMs', 'to be a number ≥ 0', timeoutMs)
}

/**
 * Makes a bus whose event types come from schemas.
 *
 * @throws `ConfigError` naming the option.
 */
export function createBus<S extends EventSchemas>(
  options: BusOptions & { readonly events: S },
): Bus<InputOf<S>, OutputOf<S>>
/**
 * Makes a bus whose event types come from a type, or are any.
 *
 * @example
 * ```ts
 * import { createBus } from '@bus/core'
 * import { memoryTransport } from '@bus/core/memory'
 *
 * await using bus = createBus<{ 'order.created': { total: number } }>({ transport: memoryTransport() })
 * await bus.subscribe('order.*', (event) => console.log(event.payload.total))
 * await bus.publish('order.created', { total: 12.5 })
 * ```
 *
 * @throws `ConfigError` naming the option.
 */
export function createBus<M extends EventMap = EventMap>(
  options: BusOptions & { readonly events?: undefined },
): Bus<M>
export function createBus(options: BusOptions): Bus {
  return new EventBus(resolveBusOptions(options))
}
