/** Dead letters in memory: bounded by count and bytes, gone when the process ends. */
import { checkOptions, func, integer, oneOf, withMethods } from '../config/options.ts'
import { systemClock, type Clock, type Random } from '../contract/clock.ts'
import type { ListenOptions, Undeliverable, Unsubscribe } from '../contract/transport.ts'
import { Emitter } from '../observe/emitter.ts'
import { telemetryOf, type Telemetry, type TelemetryOptions } from '../observe/telemetry.ts'
import { LeasingConsumer, type ConsumerSource } from './dead-letter-consumer.ts'
import { DeadLetterStore } from './dead-letter-store.ts'
import type {
  ConsumeOptions,
  DeadLetter,
  DeadLetterConsumer,
  DeadLetterEvents,
  DeadLetterHandler,
  DeadLetterQueue,
  DeadLetterStats,
  RedriveOptions,
  RedriveReport,
  RedriveTarget,
} from './dead-letter.ts'
import { footprint } from './footprint.ts'
import { letterOf, redactLetter, type RedactHook } from './letter-of.ts'
import { redrive } from './redrive.ts'

export type * from './dead-letter.ts'

/** The limits of the queue in memory, and what it hides. */
export interface DeadLetterQueueOptions {
  /** The most letters, an integer ≥ 1. @default 10_000 */
  readonly capacity?: number
  /** The most bytes, estimated from the content. A letter above it alone is refused. @default 64 MiB */
  readonly maxBytes?: number
  /** A full queue gives up its oldest letter (`evict`) or the new one (`refuse`). @default 'evict' */
  readonly overflow?: 'evict' | 'refuse'
  /**
   * Takes secrets out before a letter is stored: its answer gives `event`, `raw` and `error`. Where it throws,
   * the letter is stored without content. @default none
   */
  readonly redact?: RedactHook
  /** Under which names it tells of letters on `node:diagnostics_channel`. @default prefix 'bus' */
  readonly telemetry?: TelemetryOptions
  /** @default the clock of the machine */
  readonly clock?: Clock
  /** Random numbers for jitter. @default Math.random */
  readonly random?: Random
}

const MIB = 1024 * 1024

/** The {@link DeadLetterQueue} that keeps its letters in memory. */
export class InMemoryDeadLetterQueue implements DeadLetterQueue {
  readonly #options: DeadLetterQueueOptions
  readonly #store: DeadLetterStore
  readonly #clock: Clock
  readonly #random: Random
  readonly #telemetry: Telemetry
  readonly #consumers = new Set<LeasingConsumer>()
  readonly #emitter = new Emitter<DeadLetterEvents>((error, name) => this.#onListener(error, name))
  #added = 0
  #evicted = 0
  #refused = 0
  #isClosed = false

  constructor(options: DeadLetterQueueOptions = {}) {
    checkOptions<DeadLetterQueueOptions>('', options, {
      capacity: integer({ min: 1, allowInfinity: true }),
      maxBytes: integer({ min: 1, allowInfinity: true }),
      overflow: oneOf(['evict', 'refuse']),
      redact: func,
      telemetry: (_path, value) => void telemetryOf(value as TelemetryOptions),
      clock: withMethods('now', 'setTimeout', 'clearTimeout'),
      random: func,
    })
    const { capacity = 10_000, maxBytes = 64 * MIB } = options
    this.#options = { ...options }
    this.#store = new DeadLetterStore({ capacity, maxBytes })
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? Math.random
    this.#telemetry = telemetryOf(options.telemetry)
  }

  get size(): number {
    return this.#store.size
  }

  on<K extends keyof DeadLetterEvents>(
    name: K,
    listener: (notice: DeadLetterEvents[K]) => void,
    options?: ListenOptions,
  ): Unsubscribe {
    return this.#emitter.on(name, listener, options)
  }

  add(undeliverable: Undeliverable, source: string): DeadLetter | undefined {
    const { event, direction } = undeliverable
    if (direction === 'outbound' && event !== undefined) {
      // A letter's handler published the event again and failed: that is the same letter, not a second one.
      const inHand = this.#store.claimAgain(event.id)
      if (inHand !== undefined) return inHand
    }
    const letter = redactLetter(letterOf(undeliverable, source), this.#options.redact, (error) =>
      this.#emitter.emit('error', { kind: 'redact', error }),
    )
    const bytes = footprint(letter)
    const evicted = this.#makeRoom(bytes)
    for (const oldest of evicted) this.#tell('evicted', oldest)
    if (this.#isClosed || !this.#store.hasRoom(bytes)) {
      this.#refused++
      this.#trace('refused', letter)
      this.#emitter.emit('refused', { undeliverable, source })
      return undefined
    }
    this.#added++
    this.#store.add(letter, bytes)
    this.#tell('added', letter)
    return letter
  }

  get(id: string): DeadLetter | undefined {
    return this.#store.get(id)
  }

  list(): readonly DeadLetter[] {
    return [...this.#store.letters()]
  }

  peek(): DeadLetter | undefined {
    const [oldest] = this.#store.letters()
    return oldest
  }

  [Symbol.iterator](): IterableIterator<DeadLetter> {
    return this.#store.letters()
  }

  remove(id: string): boolean {
    return this.#store.remove(id)
  }

  clear(): number {
    const letters = this.list()
    for (const letter of letters) this.#store.remove(letter.id)
    return letters.length
  }

  redrive(target: RedriveTarget, options?: RedriveOptions): Promise<RedriveReport> {
    return redrive(this.#desk(), target, options)
  }

  consume(handler: DeadLetterHandler, options?: ConsumeOptions): DeadLetterConsumer {
    for (const other of this.#consumers) if (other.isStopped) this.#consumers.delete(other)
    const consumer = new LeasingConsumer(this.#desk(), handler, options)
    this.#consumers.add(consumer)
    return consumer
  }

  stats(): DeadLetterStats {
    const { size, bytes, capacity, maxBytes, parked, removed } = this.#store
    const [added, evicted, refused] = [this.#added, this.#evicted, this.#refused]
    return { size, bytes, capacity, maxBytes, parked, added, evicted, refused, removed }
  }

  close(): readonly DeadLetter[] {
    this.#isClosed = true
    for (const consumer of this.#consumers) void consumer.stop()
    this.#consumers.clear()
    const left = this.list()
    this.clear()
    return left
  }

  /** What consumers and redrives see of the queue. */
  #desk(): ConsumerSource & Parameters<typeof redrive>[0] {
    return {
      clock: this.#clock,
      random: this.#random,
      lease: () => this.#store.lease(),
      leaseOf: (id) => this.#store.leaseOf(id),
      list: () => this.list(),
      onAvailable: (wake) => this.#store.onAvailable(wake),
      onFailed: (letter, error) => this.#emitter.emit('failed', { letter, error }),
      onParked: (letter) => this.#tell('parked', letter),
    }
  }

  #makeRoom(bytes: number): readonly DeadLetter[] {
    const evicted: DeadLetter[] = []
    const { overflow = 'evict' } = this.#options
    if (this.#isClosed || overflow === 'refuse' || bytes > this.#store.maxBytes) return evicted
    while (!this.#store.hasRoom(bytes)) {
      const oldest = this.#store.evict()
      if (oldest === undefined) break
      this.#evicted++
      evicted.push(oldest)
    }
    return evicted
  }

  #tell(action: 'added' | 'evicted' | 'parked', letter: DeadLetter): void {
    this.#trace(action, letter)
    this.#emitter.emit(action, letter)
  }

  #trace(action: 'added' | 'evicted' | 'refused' | 'parked', letter: DeadLetter): void {
    const channel = this.#telemetry.channel('bus.dead-letter')
    if (!channel.hasSubscribers) return
    const { source, reason, event } = letter
    channel.publish({ action, source, reason, event })
  }

  #onListener(error: unknown, name: keyof DeadLetterEvents): void {
    const channel = this.#telemetry.channel('bus.error')
    if (channel.hasSubscribers) channel.publish({ source: 'dead-letters', kind: 'listener', error })
    // A failing listener of `error` is not told to itself.
    if (name !== 'error') this.#emitter.emit('error', { kind: 'listener', error })
  }
}
