/** The retry function: an application's own rule for the next attempt, with the state that it carries from call to call. */
import { ConfigError, MAX_TIMEOUT_MS, type BusError } from '@bus/core'
import type { ReconnectOptions } from '../options/options.ts'

/** The two options that make one. */
export type RetryFunctionOptions = Pick<ReconnectOptions, 'retry' | 'retryState'>

/** Belongs to one retry budget. */
export class RetryFunction {
  readonly #options: RetryFunctionOptions
  #state: unknown

  constructor(options: RetryFunctionOptions) {
    this.#options = options
    this.#state = options.retryState
  }

  /** The next failure is the first again. */
  reset(): void {
    this.#state = this.#options.retryState
  }

  /**
   * Milliseconds before the next attempt, or `'stop'`; `undefined` when there is no such function.
   * @throws what the function throws, and `ConfigError` for what it must not return
   */
  decide(error: BusError): number | 'stop' | undefined {
    const { retry } = this.#options
    if (retry === undefined) return undefined
    const decision: unknown = retry(this.#state, error)
    if (decision === 'stop') return decision
    const { delayMs, ...rest } = (decision ?? {}) as { delayMs?: unknown; state?: unknown }
    if (typeof delayMs !== 'number' || Number.isNaN(delayMs)) {
      const form = "to return `{ delayMs, state }` or 'stop'"
      throw ConfigError.expected('reconnect.retry', form, decision)
    }
    if ('state' in rest) this.#state = rest.state
    return Math.min(Math.max(delayMs, 0), MAX_TIMEOUT_MS)
  }
}
