/** Supervision: starts a transport again when it ended by itself, unless that happens too often. */
import {
  AttemptsExhaustedError,
  ConfigError,
  type BusError,
  type Clock,
  type Transport,
} from '@bus/core'
import { check, checkOptions, systemClock } from '@bus/core/kit'

/** How often a transport may be started again. */
export interface SuperviseOptions<T extends Transport> {
  /** Restarts permitted within `withinMs`, an integer ≥ 0. @default 10 */
  readonly maxRestarts?: number | undefined
  /** Milliseconds that a restart counts. @default 60_000 */
  readonly withinMs?: number | undefined
  /** Called with each new transport, the first included: subscribe here. */
  readonly onStart?: ((transport: T, restarts: number) => void) | undefined
  /** Time, for tests. @default the clock of the machine */
  readonly clock?: Clock | undefined
}

/** A transport that is kept running. */
export interface Supervisor<T extends Transport> extends AsyncDisposable {
  /** The one that runs now, or ran last. */
  readonly transport: T
  readonly restarts: number
  /**
   * Resolves when it was stopped or the transport was closed from outside. Rejects with `AttemptsExhaustedError` when it
   * ended too often, or with what `factory` or `onStart` threw at a restart.
   */
  readonly closed: Promise<void>
  /** Closes the transport and ends the supervision. Idempotent. */
  stop(): Promise<void>
}

/**
 * Keeps a transport running that gives up: exhausted attempts, a fatal refusal. A transport that was closed
 * from outside is left closed.
 *
 * @throws `ConfigError` for a bad option.
 */
export function supervise<T extends Transport>(
  factory: () => T,
  options: SuperviseOptions<T> = {},
): Supervisor<T> {
  checkOptions<SuperviseOptions<T>>('', options, {
    maxRestarts: check.integer({ min: 0, allowInfinity: true }),
    withinMs: check.durationMs({ min: 1, allowInfinity: true }),
    onStart: check.func,
    clock: check.withMethods('now', 'setTimeout', 'clearTimeout'),
  })
  if (typeof factory !== 'function')
    throw ConfigError.expected('factory', 'to be a function', factory)
  return new RunningSupervisor(factory, options)
}

class RunningSupervisor<T extends Transport> implements Supervisor<T> {
  readonly closed: Promise<void>
  readonly #factory: () => T
  readonly #options: SuperviseOptions<T>
  readonly #clock: Clock
  /** When each restart that still counts happened. */
  #recent: number[] = []
  #restarts = 0
  #isStopped = false
  #transport: T
  #resolve: () => void = () => {}
  #reject: (error: unknown) => void = () => {}

  constructor(factory: () => T, options: SuperviseOptions<T>) {
    this.#factory = factory
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.closed = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // A caller that does not look at it gets no unhandled rejection.
    this.closed.catch(() => {})
    this.#transport = this.#start()
  }

  get transport(): T {
    return this.#transport
  }

  get restarts(): number {
    return this.#restarts
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#transport.close()
    this.#resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #start(): T {
    const transport = this.#factory()
    transport.on('status', ({ status }) => {
      if (status.state !== 'closed') return
      if (status.cause === undefined || this.#isStopped) this.#resolve()
      else this.#restart(status.cause)
    })
    try {
      this.#options.onStart?.(transport, this.#restarts)
    } catch (error) {
      this.#isStopped = true
      void transport.close()
      throw error
    }
    return transport
  }

  #restart(cause: BusError): void {
    const { maxRestarts = 10, withinMs = 60_000 } = this.#options
    const now = this.#clock.now()
    this.#recent = this.#recent.filter((at) => now - at < withinMs)
    if (this.#recent.length >= maxRestarts) {
      const message = `Ended ${maxRestarts + 1} times within ${withinMs} ms`
      this.#reject(new AttemptsExhaustedError(message, { cause }))
      return
    }
    this.#recent.push(now)
    this.#restarts++
    try {
      this.#transport = this.#start()
    } catch (error) {
      // What the caller's own functions threw is theirs to see.
      this.#reject(error)
    }
  }
}
