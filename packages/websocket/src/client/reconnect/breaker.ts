/** The circuit breaker of a transport: consecutive counting and probation on top of opossum. */

import {
  BusError,
  CircuitOpenError,
  ClosedError,
  type BreakerOptions,
  type BreakerStateName,
  type BreakerStats,
  type CircuitBreaker,
  type WaitOptions,
} from '@bus/core'
import { MAX_TIMEOUT_MS, Waiters } from '@bus/core/kit'
import Opossum from 'opossum'
import { OrderedNotices } from './lifecycle.ts'
import { defaults } from '../options/options.ts'

export interface OpossumBreakerHooks {
  /**
   * Whether an error counts as a failure. One that does not, counts as nothing at all.
   *
   * @default all but those that say they are not `retryable`: aborts, encoding errors, mistakes in the options
   */
  readonly isFailure?: (error: unknown) => boolean
  /** Told after each change of state, in order. */
  readonly onChange?: (change: BreakerChange) => void
  /** Gets what the other hooks threw. Must not throw itself. */
  readonly onError?: (error: unknown) => void
}

export interface BreakerChange {
  readonly state: BreakerStateName
  readonly previous: BreakerStateName
}

/** What opossum gets: a call that never rejects, because what counts as a failure is decided here. */
type Call = () => Promise<void>

/**
 * Stops calling what keeps failing.
 *
 * Opossum opens on a percentage within a window of time, so that failures spaced by a backoff never open it, and
 * closes on the first success. Here its own rule is switched off: this class counts in a row and calls `open()`.
 * What is left to opossum is the gate and the timer from open to half-open. After its first success the state stays
 * half-open, one call at a time, until enough calls in a row have succeeded.
 */
export class OpossumBreaker implements CircuitBreaker {
  readonly #limits: Required<BreakerOptions>
  readonly #isFailure: (error: unknown) => boolean
  readonly #onError: (error: unknown) => void
  readonly #notices: OrderedNotices<BreakerChange>
  readonly #circuit: Opossum<[Call], void>
  readonly #waiters = new Waiters<undefined>({
    what: 'Waiting for the circuit breaker',
    timedOut: 'The circuit breaker stayed open',
  })
  #state: BreakerStateName = 'closed'
  /** Grows whenever it opens, is reset or closed: how a call of an earlier period ends counts no more. */
  #period = 0
  #probing = false
  #ended = false
  #failures = 0
  #successes = 0
  #total = 0
  #rejected = 0
  #lastFailureAt: number | undefined

  constructor(options: BreakerOptions = {}, hooks: OpossumBreakerHooks = {}) {
    this.#limits = { ...defaults.breaker, ...options }
    this.#isFailure = hooks.isFailure ?? isRetryable
    this.#onError = hooks.onError ?? (() => {})
    this.#notices = new OrderedNotices(hooks.onChange ?? (() => {}), this.#onError)
    this.#circuit = new Opossum(async (call: Call) => await call(), {
      name: 'dial',
      resetTimeout: this.#limits.openMs,
      // Its deadline neither stops the action nor is cleared by shutdown; every dial has a deadline of its own.
      timeout: false,
      volumeThreshold: Number.MAX_SAFE_INTEGER,
      rollingCountTimeout: 60_000,
      rollingCountBuckets: 2,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
    })
    this.#circuit.on('halfOpen', () => this.#enter('half-open'))
  }

  get state(): BreakerStateName {
    return this.#state
  }

  /**
   * Calls the action and settles as it does. While open, and while half-open with another call under way, rejects
   * with `CircuitOpenError` instead; after {@link close} with `ClosedError`.
   */
  async run<T>(action: () => Promise<T>): Promise<T> {
    if (this.#ended) throw new ClosedError('The circuit breaker is closed for good')
    this.#total += 1
    if (this.#state === 'open' || this.#probing) {
      this.#rejected += 1
      throw new CircuitOpenError('The circuit breaker is open', { outcome: 'not-sent' })
    }
    const settled = await this.#fire(action)
    if (settled.ok) return settled.value
    throw settled.error
  }

  /** Counts a failure that happened outside of {@link run}: a send that failed. While open it means nothing. */
  fail(error: unknown): void {
    if (!this.#ended && this.#state !== 'open') this.#count({ ok: false, error })
  }

  /** Counts a success that happened outside of {@link run}. While open it means nothing. */
  succeed(): void {
    if (!this.#ended && this.#state !== 'open') this.#count({ ok: true, value: undefined })
  }

  trip(): void {
    if (!this.#ended) this.#open()
  }

  reset(): void {
    if (this.#ended) return
    this.#period += 1
    this.#probing = false
    this.#total = 0
    this.#rejected = 0
    this.#lastFailureAt = undefined
    this.#shut()
  }

  /**
   * Resolves when it is not open: at once, or when the open time is over or it is reset. Keeps the process alive
   * meanwhile, which opossum's own timer does not.
   *
   * @returns a promise that rejects with `AbortedError` or, after {@link close}, with `ClosedError`
   */
  async whenHalfOpen({ signal }: WaitOptions = {}): Promise<void> {
    if (signal?.aborted !== true) {
      if (this.#ended) throw new ClosedError('The circuit breaker is closed for good')
      if (this.#state !== 'open') return
    }
    const alive = setTimeout(() => {}, MAX_TIMEOUT_MS)
    try {
      await this.#waiters.join(undefined, { signal })
    } finally {
      clearTimeout(alive)
    }
  }

  stats(): BreakerStats {
    return {
      state: this.#state,
      failures: this.#failures,
      successes: this.#successes,
      total: this.#total,
      rejected: this.#rejected,
      lastFailureAt: this.#lastFailureAt,
    }
  }

  /** Ends it for good: no timer stays, whoever waits is rejected, and nothing that comes in late changes a thing. */
  close(): void {
    if (this.#ended) return
    this.#ended = true
    this.#period += 1
    this.#circuit.shutdown()
    this.#waiters.rejectAll(new ClosedError('The circuit breaker was closed for good'))
  }

  async #fire<T>(action: () => Promise<T>): Promise<Settled<T>> {
    const period = this.#period
    this.#probing = this.#state === 'half-open'
    const box: { settled?: Settled<T> } = {}
    await this.#circuit.fire(async () => {
      const settled = await settle(action)
      box.settled = settled
      if (period !== this.#period) return
      this.#probing = false
      // Before opossum hears of the end, so that the two are never seen in different states.
      this.#count(settled)
    })
    return box.settled ?? { ok: false, error: new CircuitOpenError('The circuit breaker is open') }
  }

  #count(settled: Settled<unknown>): void {
    if (settled.ok) this.#countSuccess()
    else if (this.#counts(settled.error)) this.#countFailure()
  }

  #counts(error: unknown): boolean {
    try {
      return this.#isFailure(error)
    } catch (thrown) {
      this.#onError(thrown)
      return true
    }
  }

  #countFailure(): void {
    this.#failures += 1
    this.#lastFailureAt = Date.now()
    if (this.#state === 'half-open' || this.#failures >= this.#limits.failureThreshold) this.#open()
  }

  #countSuccess(): void {
    this.#failures = 0
    if (this.#state !== 'half-open') return
    // Opossum closes on the first success; the probation that follows is ours alone.
    this.#circuit.close()
    this.#successes += 1
    if (this.#successes >= this.#limits.successThreshold) this.#shut()
  }

  #open(): void {
    this.#period += 1
    this.#probing = false
    this.#successes = 0
    this.#circuit.open()
    this.#enter('open')
  }

  #shut(): void {
    this.#failures = 0
    this.#successes = 0
    this.#circuit.close()
    this.#enter('closed')
  }

  #enter(state: BreakerStateName): void {
    const previous = this.#state
    if (state === previous) return
    this.#state = state
    this.#notices.push({ state, previous }, () => {
      if (state !== 'open') this.#waiters.admitAll()
    })
  }
}

const isRetryable = (error: unknown): boolean => !(error instanceof BusError) || error.retryable

/** Settled: how an action ended, as a value. */

export type Settled<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown }

/** Calls the action and waits for its end. Never rejects, whatever the action does. */
async function settle<T>(action: () => Promise<T>): Promise<Settled<T>> {
  try {
    return { ok: true, value: await action() }
  } catch (error) {
    return { ok: false, error }
  }
}
