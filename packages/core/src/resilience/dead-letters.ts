/** Dead letters in memory: bounded by count and bytes, gone when the process ends. */

import { check } from '../config/checks.ts'
import { checkOptions, type Filled } from '../config/options.ts'
import { systemClock, type Clock, type Random } from '../contract/clock.ts'
import type {
  ListenOptions,
  Undeliverable,
  Unsubscribe,
  WaitOptions,
} from '../contract/transport.ts'
import { Emitter } from '../observe/emitter.ts'
import { telemetryOf, type Telemetry, type TelemetryOptions } from '../observe/telemetry.ts'
import {
  DeadLetterStore,
  footprint,
  letterOf,
  redactLetter,
  type RedactHook,
  type Lease,
} from './dead-letter-store.ts'
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
import { AbortedError, HandlerError } from '../contract/errors.ts'
import PQueue from 'p-queue'
import { backoff, delayOf, type BackoffPolicy } from './backoff.ts'
import { abortable, sleep, withDeadline } from './wait.ts'
import { onAbort } from '../queue/abort-watch.ts'

export type * from './dead-letter.ts'

/** The limits of the queue in memory, and what it hides. */
export interface DeadLetterQueueOptions {
  /** The most letters, an integer ≥ 1. @default 10_000 */
  readonly capacity?: number | undefined
  /** The most bytes, estimated from the content. A letter above it alone is refused. @default 64 MiB */
  readonly maxBytes?: number | undefined
  /** A full queue gives up its oldest letter (`evict`) or the new one (`refuse`). @default 'evict' */
  readonly overflow?: 'evict' | 'refuse' | undefined
  /**
   * Takes secrets out before a letter is stored: its answer gives `event`, `raw` and `error`. Where it throws,
   * the letter is stored without content. @default none
   */
  readonly redact?: RedactHook | undefined
  /** Under which names it publishes on `node:diagnostics_channel`. @default prefix 'bus' */
  readonly telemetry?: TelemetryOptions | undefined
  /** @default the clock of the machine */
  readonly clock?: Clock | undefined
  /** Random numbers for jitter. @default Math.random */
  readonly random?: Random | undefined
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
      capacity: check.integer({ min: 1, allowInfinity: true }),
      maxBytes: check.integer({ min: 1, allowInfinity: true }),
      overflow: check.oneOf(['evict', 'refuse']),
      redact: check.func,
      telemetry: (_path, value) => void telemetryOf(value as TelemetryOptions),
      clock: check.withMethods('now', 'setTimeout', 'clearTimeout'),
      random: check.func,
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
    for (const oldest of evicted) this.#report('evicted', oldest)
    if (this.#isClosed || !this.#store.hasRoom(bytes)) {
      this.#refused++
      this.#trace('refused', letter)
      this.#emitter.emit('refused', { undeliverable, source })
      return undefined
    }
    this.#added++
    this.#store.add(letter, bytes)
    this.#report('added', letter)
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
    return redrive(this.#source(), target, options)
  }

  consume(handler: DeadLetterHandler, options?: ConsumeOptions): DeadLetterConsumer {
    for (const other of this.#consumers) if (other.isStopped) this.#consumers.delete(other)
    const consumer = new LeasingConsumer(this.#source(), handler, options)
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
  #source(): ConsumerSource & Parameters<typeof redrive>[0] {
    return {
      clock: this.#clock,
      random: this.#random,
      lease: () => this.#store.lease(),
      leaseOf: (id) => this.#store.leaseOf(id),
      list: () => this.list(),
      onAvailable: (wake) => this.#store.onAvailable(wake),
      onFailed: (letter, error) => this.#emitter.emit('failed', { letter, error }),
      onParked: (letter) => this.#report('parked', letter),
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

  #report(action: 'added' | 'evicted' | 'parked', letter: DeadLetter): void {
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
    // A failing listener of `error` does not get its own failure.
    if (name !== 'error') this.#emitter.emit('error', { kind: 'listener', error })
  }
}

/** What a redrive needs of the queue. */
export interface RedriveSource {
  list(): readonly DeadLetter[]
  leaseOf(id: string): Lease | undefined
  onFailed(letter: DeadLetter, error: unknown): void
}

/**
 * Publishes the event of each letter that is there now, oldest first, each after the one before it has settled.
 *
 * @throws `AbortedError` when the signal aborts; what was published until then is removed.
 */
export async function redrive(
  source: RedriveSource,
  target: RedriveTarget,
  options: RedriveOptions = {},
): Promise<RedriveReport> {
  checkOptions<RedriveOptions>('', options, {
    filter: check.func,
    signal: check.abortSignal,
  })
  const { filter = () => true, signal } = options
  const report = { redriven: 0, failed: 0, skipped: 0 }
  for (const letter of source.list()) {
    if (signal?.aborted === true) throw new AbortedError('The redrive', { cause: signal.reason })
    const { event } = letter
    const lease = event !== undefined && filter(letter) ? source.leaseOf(letter.id) : undefined
    if (event === undefined || lease === undefined) {
      report.skipped++
      continue
    }
    try {
      // One after the other keeps the order of the letters.
      await target.publish(event, signal === undefined ? {} : { signal })
      if (!lease.succeed()) throw new HandlerError('The event was given up again')
      report.redriven++
    } catch (error) {
      report.failed++
      source.onFailed(lease.fail(), error)
    } finally {
      lease.release()
    }
  }
  return report
}

/** What a consumer needs of the queue. */
export interface ConsumerSource {
  readonly clock: Clock
  readonly random: Random
  lease(): Lease | undefined
  onAvailable(wake: () => void): () => void
  onFailed(letter: DeadLetter, error: unknown): void
  onParked(letter: DeadLetter): void
}

type Settings = Filled<Omit<ConsumeOptions, 'signal'>>

/** The consumer that `DeadLetterQueue.consume` gives. */
export class LeasingConsumer implements DeadLetterConsumer {
  readonly #source: ConsumerSource
  readonly #handler: DeadLetterHandler
  readonly #settings: Settings
  readonly #slots: PQueue
  readonly #stopping = new AbortController()
  readonly #leave: () => void
  /** In a row, over all letters: when the other side is down, it is down for each of them. */
  #failures = 0

  constructor(source: ConsumerSource, handler: DeadLetterHandler, options: ConsumeOptions = {}) {
    this.#settings = resolve(handler, options)
    this.#source = source
    this.#handler = handler
    this.#slots = new PQueue({ concurrency: this.#settings.concurrency })
    const { signal } = options
    const unregister = source.onAvailable(() => this.#wake())
    let stopListening: (() => void) | undefined
    this.#leave = () => {
      unregister()
      stopListening?.()
    }
    stopListening = onAbort(signal, () => void this.stop())
    this.#wake()
  }

  get isStopped(): boolean {
    return this.#stopping.signal.aborted
  }

  stop(options: WaitOptions = {}): Promise<void> {
    if (!this.isStopped) {
      this.#stopping.abort()
      this.#leave()
    }
    return abortable(this.#slots.onIdle(), options.signal, 'Stopping the consumer')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** One task may wait for a slot, never more: it finds whatever has arrived when it starts. */
  #wake(): void {
    if (this.isStopped || this.#slots.size > 0) return
    // It never rejects: failures of the handler and of listeners are reported as events.
    void this.#slots.add(() => this.#handleNext())
  }

  async #handleNext(): Promise<void> {
    // Code that adds a dead letter must not run the handler within its own call.
    await Promise.resolve()
    const lease = this.isStopped ? undefined : this.#source.lease()
    if (lease === undefined) return
    // There may be more than this one, and free slots.
    this.#wake()
    try {
      await this.#handle(lease)
    } finally {
      lease.release()
    }
  }

  async #handle(lease: Lease): Promise<void> {
    const { handlerTimeoutMs, maxAttempts } = this.#settings
    try {
      await withDeadline((signal) => this.#handler(lease.letter, { signal }), {
        timeoutMs: handlerTimeoutMs,
        clock: this.#source.clock,
        what: 'Handling a dead letter',
      })
      if (!lease.succeed()) throw new HandlerError('The event was given up again by its handler')
      this.#failures = 0
    } catch (error) {
      this.#failures++
      const letter = lease.fail(maxAttempts)
      this.#source.onFailed(letter, error)
      if (letter.parked) this.#source.onParked(letter)
      await this.#pause(letter)
    }
  }

  /** Also after the letter was parked: the next one would fail as fast. */
  async #pause(letter: DeadLetter): Promise<void> {
    const ms = this.#delay(letter)
    if (this.isStopped) return
    const { clock } = this.#source
    // The only way in which it rejects is `stop`, which has a promise of its own.
    await sleep(ms, { signal: this.#stopping.signal, clock }).catch(() => {})
  }

  #delay(letter: DeadLetter): number {
    const { random } = this.#source
    try {
      return delayOf(this.#settings.backoff, this.#failures, random)
    } catch (error) {
      this.#source.onFailed(letter, error)
      return delayOf(backoff.exponential(), this.#failures, random)
    }
  }
}

function resolve(handler: unknown, options: ConsumeOptions): Settings {
  check.func('handler', handler)
  checkOptions<ConsumeOptions>('', options, {
    backoff: check.func,
    maxAttempts: check.integer({ min: 1, allowInfinity: true }),
    concurrency: check.integer({ min: 1 }),
    handlerTimeoutMs: check.durationMs({ min: 1, allowInfinity: true, allowLong: true }),
    signal: check.abortSignal,
  })
  const policy: BackoffPolicy = options.backoff ?? backoff.exponential()
  const { maxAttempts = 5, concurrency = 1, handlerTimeoutMs = 30_000 } = options
  return { backoff: policy, maxAttempts, concurrency, handlerTimeoutMs }
}
