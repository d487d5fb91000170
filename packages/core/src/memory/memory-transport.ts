/** The memory transport: the whole contract without a link. */

import type { Capabilities } from '../contract/capabilities.ts'
import {
  AbortedError,
  TimeoutError,
  ClosedError,
  DrainingError,
  UnsupportedError,
  type Outcome,
} from '../contract/errors.ts'
import { checkedEvent, type Event } from '../contract/event.ts'
import type { TransportStatus, StateName } from '../contract/status.ts'
import type {
  DrainOptions,
  DrainReport,
  EmitOptions,
  Feed,
  FeedOptions,
  Health,
  ListenOptions,
  PublishOptions,
  PublishReceipt,
  Sink,
  Transport,
  TransportEvents,
  UndeliverableReason,
  Unsubscribe,
  WaitOptions,
  Delivery,
} from '../contract/transport.ts'
import { assertPattern } from '../contract/type.ts'
import { Emitter } from '../observe/emitter.ts'
import type { QueueStats } from '../queue/queue-options.ts'
import { withDeadline } from '../resilience/wait.ts'
import { MemoryOutbox } from './memory-outbox.ts'
import { MemoryFeed } from './memory-medium.ts'
import {
  resolveMemoryOptions,
  type ResolvedMemoryOptions,
  type MemoryTransportOptions,
} from './memory-options.ts'
import { constants } from 'node:buffer'
import type { Codec } from '../codec/codec.ts'

/** The fill at which `ready` follows an `emit` that answered `false`. */
const READY_AT = 0.5

/** What `memoryTransport` gives. */
class MemoryTransport implements Transport {
  readonly name = 'memory'
  readonly capabilities: Capabilities = MEMORY_CAPABILITIES
  readonly #options: ResolvedMemoryOptions
  readonly #outbox: MemoryOutbox
  readonly #feeds = new Set<MemoryFeed>()
  readonly #emitter: Emitter<TransportEvents> = new Emitter<TransportEvents>((error, name) => {
    // A listener of `error` that throws would get its own failure, and throw again.
    if (name === 'error') return
    this.#emitter.emit('error', { kind: 'listener', error: error as Error })
  })
  #status: TransportStatus
  #isReadyAwaited = false
  #drained: Promise<DrainReport> | undefined

  constructor(options: ResolvedMemoryOptions) {
    const { clock, holdMs, medium, queue } = options
    this.#options = options
    this.#status = Object.freeze({ state: 'idle', since: clock.now() })
    this.#outbox = new MemoryOutbox(queue, {
      clock,
      holdMs,
      feedsOf: (type) => medium.feeds.match(type),
      deliver: (frame, feed) => deliver(frame, feed, options.codec, this.#emitter),
      onLevel: (level, fillRatio) => this.#emitter.emit('backpressure', { level, fillRatio }),
      onLeft: () => this.#onLeft(),
      giveUp: (reason, event, error) => this.#giveUp(reason, event, error),
    })
  }

  get status(): TransportStatus {
    return this.#status
  }

  async connect(options: WaitOptions = {}): Promise<void> {
    if (options.signal?.aborted === true) {
      throw new AbortedError('connect', { cause: options.signal.reason })
    }
    const refusal = refusalIn(this.#status.state)
    if (refusal !== undefined) throw refusal
    this.#open()
  }

  /** Resolves when every matching subscription has taken the event into its queue. */
  publish(given: Event, options: PublishOptions = {}): Promise<PublishReceipt> {
    const { signal, delivery } = options
    const refusal = refusalIn(this.#status.state) ?? beyondPromise(delivery)
    if (refusal !== undefined) return Promise.reject(refusal)
    if (signal?.aborted === true) {
      const { reason: cause } = signal
      return Promise.reject(new AbortedError('publish', { cause, outcome: 'not-sent' }))
    }
    let event: Event
    let frame: string | Uint8Array
    try {
      event = checkedEvent(given)
      frame = this.#options.codec.encode(event)
    } catch (error) {
      return Promise.reject(error)
    }
    this.#open()
    return this.#outbox.publish(event, frame, options)
  }

  emit(given: Event, { delivery }: EmitOptions = {}): boolean {
    // Once closed it reports nothing any more.
    if (this.#status.state === 'closed') return false
    const refusal = refusalIn(this.#status.state)
    if (refusal !== undefined) {
      this.#giveUp('closed', given, refusal)
      return false
    }
    const unsupported = beyondPromise(delivery)
    if (unsupported !== undefined) {
      this.#giveUp('rejected', given, unsupported)
      return this.#outbox.hasRoom
    }
    let event: Event
    let frame: string | Uint8Array
    try {
      event = checkedEvent(given)
      frame = this.#options.codec.encode(event)
    } catch (error) {
      this.#giveUp('rejected', given, error as Error)
      return this.#outbox.hasRoom
    }
    this.#open()
    const hasRoom = this.#outbox.emit(event, frame)
    this.#isReadyAwaited ||= !hasRoom
    return hasRoom
  }

  subscribe(patterns: readonly string[], sink: Sink, { delivery }: FeedOptions = {}): Feed {
    for (const pattern of patterns) assertPattern(pattern)
    const unsupported = beyondPromise(delivery)
    if (unsupported !== undefined) throw unsupported
    if (this.#status.state === 'closed') throw closedError('not-sent')
    this.#open()
    const feed = new MemoryFeed(this.#options.medium, patterns, sink, (ended) =>
      this.#feeds.delete(ended),
    )
    this.#feeds.add(feed)
    feed.start()
    return feed
  }

  on<K extends keyof TransportEvents>(
    name: K,
    listener: (notice: TransportEvents[K]) => void,
    options?: ListenOptions,
  ): Unsubscribe {
    return this.#emitter.on(name, listener, options)
  }

  backpressureStats(): QueueStats {
    return this.#outbox.stats()
  }

  health(): Promise<Health> {
    return Promise.resolve(healthIn(this.#status.state, this.#outbox.stats()))
  }

  drain(options: DrainOptions = {}): Promise<DrainReport> {
    this.#drained ??= this.#drain(options)
    return this.#drained
  }

  close(): Promise<void> {
    if (this.#status.state === 'closed') return Promise.resolve()
    const since = this.#options.clock.now()
    for (const feed of this.#feeds) feed.end(closedError('not-sent'))
    this.#enter({ state: 'closed', since, cause: undefined })
    this.#outbox.close(closedError)
    this.#emitter.clear()
    return Promise.resolve()
  }

  /** First use: there is nothing to wait for. */
  #open(): void {
    if (this.#status.state !== 'idle') return
    const since = this.#options.clock.now()
    this.#enter({ state: 'ready', since, generation: 1, protocol: '' })
    this.#emitter.emit('open', { generation: 1, reconnected: false, protocol: '' })
    this.#outbox.open()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #drain(options: DrainOptions): Promise<DrainReport> {
    const { clock } = this.#options
    const { timeoutMs = 30_000, signal } = options
    if (this.#status.state === 'closed') return Object.freeze({ unsent: [], unhandled: 0 })
    this.#enter({ state: 'draining', since: clock.now() })
    // Also when it was never connected: what was accepted is owed.
    this.#outbox.open()
    let unsent: readonly string[] = []
    try {
      await withDeadline(() => this.#outbox.untilEmpty(), {
        timeoutMs,
        signal,
        clock,
        what: 'drain',
      })
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error
    } finally {
      unsent = this.#outbox.ids()
      await this.close()
    }
    return Object.freeze({ unsent, unhandled: 0 })
  }

  #onLeft(): void {
    if (!this.#isReadyAwaited || this.#outbox.fillRatio > READY_AT || !this.#outbox.hasRoom) return
    this.#isReadyAwaited = false
    this.#emitter.emit('ready', undefined)
  }

  #giveUp(reason: UndeliverableReason, event: Event, error: Error): void {
    this.#emitter.emit('undeliverable', {
      reason,
      direction: 'outbound',
      error,
      attempts: 0,
      event,
    })
  }

  #enter(status: TransportStatus): void {
    const previous = this.#status
    this.#status = Object.freeze(status)
    this.#emitter.emit('status', { status: this.#status, previous })
  }
}

/**
 * Makes a transport that carries events within this process, encoded as over a wire.
 *
 * Events are delivered in a microtask of their own, never inside `publish`. A publish is confirmed when every matching
 * subscription has taken the event into its queue, so a full one lets its publishers wait.
 *
 * @example
 * ```ts
 * import { createBus } from '@bus/core'
 * import { memoryMedium, memoryTransport } from '@bus/core/memory'
 *
 * const medium = memoryMedium()
 * await using orders = createBus({ transport: memoryTransport({ medium }) })
 * await using mail = createBus({ transport: memoryTransport({ medium }) })
 * await mail.subscribe('order.created', (event) => console.log(event.payload))
 * await orders.publish('order.created', { total: 12.5 })
 * ```
 *
 * @throws `ConfigError` naming the option.
 */
export function memoryTransport(options: MemoryTransportOptions = {}): Transport {
  return new MemoryTransport(resolveMemoryOptions(options))
}

/** Why nothing may be published in this state. */
function refusalIn(state: StateName): Error | undefined {
  if (state === 'closed') return closedError('not-sent')
  if (state !== 'draining') return undefined
  return new DrainingError('The transport is draining', { outcome: 'not-sent' })
}

/** Why a call with this `delivery` is refused: a process that ends takes its events along. */
function beyondPromise(delivery: Delivery | undefined): UnsupportedError | undefined {
  if (delivery !== 'at-least-once') return undefined
  return new UnsupportedError('memory', `delivery ${delivery}`)
}

function closedError(outcome: Outcome): ClosedError {
  return new ClosedError('The transport is closed', { outcome })
}

/** Up only when ready. */
function healthIn(state: StateName, queue: QueueStats): Health {
  if (state === 'ready') return Object.freeze({ status: 'up', reasons: [], queue })
  const reason = state === 'idle' ? 'not connected yet' : state
  return Object.freeze({ status: 'down', reasons: Object.freeze([reason]), queue })
}

const MEMORY_CAPABILITIES: Capabilities = Object.freeze({
  // A process that ends takes its events along.
  delivery: 'at-most-once',
  ordering: 'per-publisher',
  wildcards: true,
  publishConfirm: true,
  resume: false,
  gaps: false,
  dedupe: false,
  echo: true,
  backpressure: Object.freeze({ inbound: 'pause', outbound: 'block' } as const),
  binary: false,
  maxPayload: constants.MAX_STRING_LENGTH,
  reconnect: false,
})

/** Decodes once per subscription, so that each handler gets a payload of its own; reports what cannot be decoded. */
function deliver(
  frame: string | Uint8Array,
  feed: MemoryFeed,
  codec: Codec,
  notices: Emitter<TransportEvents>,
): void {
  let event: Event
  try {
    event = codec.decode(frame)
  } catch (thrown) {
    const error = thrown as Error
    notices.emit('error', { kind: 'decode', error })
    notices.emit('undeliverable', {
      reason: 'undecodable',
      direction: 'inbound',
      error,
      attempts: 0,
      raw: frame,
    })
    return
  }
  feed.deliver(event)
}
