/** Works through dead letters: one handling after the other, never faster than the backoff allows when they fail. */
import PQueue from 'p-queue'
import { checkOptions, durationMs, func, instance, integer } from '../config/options.ts'
import type { Clock, Random } from '../contract/clock.ts'
import { HandlerError } from '../contract/errors.ts'
import type { WaitOptions } from '../contract/transport.ts'
import { backoff, delayOf, type BackoffPolicy } from './backoff.ts'
import type {
  ConsumeOptions,
  DeadLetter,
  DeadLetterConsumer,
  DeadLetterHandler,
} from './dead-letter.ts'
import type { Lease } from './dead-letter-store.ts'
import { abortable, sleep, withDeadline } from './wait.ts'

/** What a consumer needs of the queue. */
export interface ConsumerSource {
  readonly clock: Clock
  readonly random: Random
  lease(): Lease | undefined
  onAvailable(wake: () => void): () => void
  onFailed(letter: DeadLetter, error: unknown): void
  onParked(letter: DeadLetter): void
}

type Settings = Required<Omit<ConsumeOptions, 'signal'>>

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
    const stop = (): void => void this.stop()
    const unregister = source.onAvailable(() => this.#wake())
    this.#leave = () => {
      unregister()
      signal?.removeEventListener('abort', stop)
    }
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted === true) stop()
    else this.#wake()
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

  /** One task may wait for a slot, never more: it finds whatever has arrived when its turn comes. */
  #wake(): void {
    if (this.isStopped || this.#slots.size > 0) return
    // It never rejects: failures of the handler and of listeners are told as events.
    void this.#slots.add(() => this.#handleNext())
  }

  async #handleNext(): Promise<void> {
    // Whoever adds a dead letter must not find itself inside a handler.
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
    // The only way in which it rejects is `stop`, which is told by its own promise.
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
  func('handler', handler)
  checkOptions<ConsumeOptions>('', options, {
    backoff: func,
    maxAttempts: integer({ min: 1, allowInfinity: true }),
    concurrency: integer({ min: 1 }),
    handlerTimeoutMs: durationMs({ min: 1, allowInfinity: true, allowLong: true }),
    signal: instance(AbortSignal),
  })
  const policy: BackoffPolicy = options.backoff ?? backoff.exponential()
  const { maxAttempts = 5, concurrency = 1, handlerTimeoutMs = 30_000 } = options
  return { backoff: policy, maxAttempts, concurrency, handlerTimeoutMs }
}
