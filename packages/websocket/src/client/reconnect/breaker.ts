/** The circuit breaker of a transport: opossum's states, entered by consecutive failures and successes. */

import {
  BusError,
  CircuitOpenError,
  ClosedError,
  type BreakerOptions,
  type BreakerStateName,
  type BreakerStats,
  type CircuitBreaker,
} from '@bus/core'
import type { Filled } from '@bus/core/kit'
import Opossum from 'opossum'
import { OrderedChanges } from './lifecycle.ts'
import { defaults } from '../options/resolve-options.ts'

export interface OpossumBreakerHooks {
  /**
   * Whether an error counts as a failure. One that does not, counts as nothing at all.
   *
   * @default all but those that say they are not `retryable`: aborts, encoding errors, mistakes in the options
   */
  readonly isFailure?: (error: unknown) => boolean
  /** Called after each change of state, in order. */
  readonly onChange?: (change: BreakerChange) => void
  /** Gets what the other hooks threw. Must not throw itself. */
  readonly onError?: (error: unknown) => void
}

export interface BreakerChange {
  readonly state: BreakerStateName
  readonly previous: BreakerStateName
}

/**
 * Says whether the server keeps failing. It delays no attempt, for the backoff alone paces those: while it is open, calls that
 * need not wait for a link are refused, and each attempt is a probe.
 *
 * The state and the timer from open to half-open are opossum's. It opens on a share of failures within a window of time, so that
 * failures spaced by a backoff never open it, and closes on the first success, also on that of a call that began before it
 * opened. So attempts are not made through it: they are counted here, in a row, and it is opened and closed by those counts.
 */
export class OpossumBreaker implements CircuitBreaker {
  readonly #limits: Filled<BreakerOptions>
  readonly #isFailure: (error: unknown) => boolean
  readonly #onError: (error: unknown) => void
  readonly #changes: OrderedChanges<BreakerChange>
  #circuit: Opossum<[], void>
  /** The state that {@link close} found. */
  #endedAs: BreakerStateName | undefined
  /** Grows whenever it opens, is reset or closed: how a call of an earlier period ends counts no more. */
  #period = 0
  #failures = 0
  #successes = 0
  #total = 0
  #rejected = 0
  #lastFailureAt: number | undefined

  constructor(options: BreakerOptions = {}, hooks: OpossumBreakerHooks = {}) {
    const { breaker } = defaults
    this.#limits = {
      failureThreshold: options.failureThreshold ?? breaker.failureThreshold,
      openMs: options.openMs ?? breaker.openMs,
      successThreshold: options.successThreshold ?? breaker.successThreshold,
    }
    this.#isFailure = hooks.isFailure ?? isRetryable
    this.#onError = hooks.onError ?? (() => {})
    this.#changes = new OrderedChanges(hooks.onChange ?? (() => {}), this.#onError)
    this.#circuit = this.#newCircuit()
  }

  get state(): BreakerStateName {
    if (this.#endedAs !== undefined) return this.#endedAs
    if (this.#circuit.opened) return 'open'
    return this.#circuit.halfOpen ? 'half-open' : 'closed'
  }

  /** Makes an attempt, as a probe unless the breaker is closed, and settles as it does; after {@link close} with `ClosedError`. */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    if (this.#endedAs !== undefined) throw closedForGood()
    this.#total += 1
    if (this.state === 'open') this.#halfOpen()
    const period = this.#period
    try {
      const value = await attempt()
      if (period === this.#period) this.#countSuccess()
      return value
    } catch (error) {
      if (period === this.#period) this.#countFailure(error)
      throw error
    }
  }

  /** Refuses a call while it is open, and counts that. @returns `undefined` when the call may be made */
  refusal(): CircuitOpenError | undefined {
    if (this.state !== 'open') return undefined
    this.#total += 1
    this.#rejected += 1
    return new CircuitOpenError('The circuit breaker is open', { outcome: 'not-sent' })
  }

  /** Counts a failure that happened outside of {@link run}: a send that failed. While open it means nothing. */
  fail(error: unknown): void {
    if (this.#endedAs === undefined && this.state !== 'open') this.#countFailure(error)
  }

  /** Counts a success that happened outside of {@link run}. While open it means nothing. */
  succeed(): void {
    if (this.#endedAs === undefined && this.state !== 'open') this.#countSuccess()
  }

  trip(): void {
    if (this.#endedAs === undefined) this.#open()
  }

  reset(): void {
    if (this.#endedAs !== undefined) return
    this.#period += 1
    this.#total = 0
    this.#rejected = 0
    this.#lastFailureAt = undefined
    this.#shut()
  }

  stats(): BreakerStats {
    return {
      state: this.state,
      failures: this.#failures,
      successes: this.#successes,
      total: this.#total,
      rejected: this.#rejected,
      lastFailureAt: this.#lastFailureAt,
    }
  }

  /** Ends it for good: no timer stays, and nothing that comes in late changes a thing. */
  close(): void {
    if (this.#endedAs !== undefined) return
    this.#endedAs = this.state
    this.#period += 1
    this.#circuit.shutdown()
  }

  #countFailure(error: unknown): void {
    if (!this.#counts(error)) return
    this.#failures += 1
    this.#lastFailureAt = Date.now()
    if (this.state === 'half-open' || this.#failures >= this.#limits.failureThreshold) this.#open()
  }

  #countSuccess(): void {
    this.#failures = 0
    if (this.state !== 'half-open') return
    this.#successes += 1
    if (this.#successes >= this.#limits.successThreshold) this.#shut()
  }

  #counts(error: unknown): boolean {
    try {
      return this.#isFailure(error)
    } catch (thrown) {
      this.#onError(thrown)
      return true
    }
  }

  #open(): void {
    const previous = this.state
    this.#period += 1
    this.#successes = 0
    this.#circuit.open()
    this.#changed(previous)
  }

  #shut(): void {
    const previous = this.state
    this.#failures = 0
    this.#successes = 0
    this.#circuit.close()
    this.#changed(previous)
  }

  /** Before its timer. opossum has no method for that, but takes a state to begin with. */
  #halfOpen(): void {
    const { state } = this.#circuit.toJSON()
    this.#circuit.shutdown()
    this.#circuit = this.#newCircuit({ ...state, open: false, halfOpen: true })
    this.#changed('open')
  }

  #newCircuit(state?: Opossum.State): Opossum<[], void> {
    const circuit = new Opossum(async () => {}, {
      name: 'dial',
      resetTimeout: this.#limits.openMs,
      timeout: false,
      rollingCountTimeout: 60_000,
      rollingCountBuckets: 2,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      ...(state === undefined ? {} : { state }),
    })
    circuit.on('halfOpen', () => this.#changed('open'))
    return circuit
  }

  #changed(previous: BreakerStateName): void {
    const { state } = this
    if (state !== previous) this.#changes.push({ state, previous })
  }
}

const isRetryable = (error: unknown): boolean => !(error instanceof BusError) || error.retryable

function closedForGood(): ClosedError {
  return new ClosedError('The circuit breaker is closed for good')
}
