/** The retry budget: what has failed so far, whether that is enough, and how long to wait before the next attempt. */
import {
  AttemptsExhaustedError,
  AuthError,
  CircuitOpenError,
  HandshakeError,
  backoff,
  delayOf,
  type BusError,
} from '@bus/core'
import { classify, closePolicy, isAuthRefusal, type Verdict } from '../options/classify.ts'
import type { CloseInfo } from '../link/connection.ts'
import { defaults, type ResolvedOptions } from '../options/options.ts'
import { RetryFunction } from './retry-function.ts'

/** How an attempt, or the link that it made, ended. */
export interface Failure {
  readonly error: BusError
  /** How the link ended, where there was one. */
  readonly info: CloseInfo | undefined
  /** The link was ready for long enough to count as good. */
  readonly wasStable: boolean
}

export interface RetryBudgetPorts {
  /** A function of the options threw; the default stands in for it. */
  misbehaved(error: unknown): void
}

type RetryOptions = Pick<ResolvedOptions, 'reconnect' | 'headers' | 'protocol' | 'clock' | 'random'>

/** Belongs to one reconnector. */
export class RetryBudget {
  readonly #options: RetryOptions
  readonly #ports: RetryBudgetPorts
  readonly #function: RetryFunction
  /** What the retry function said to the last failure. */
  #toldMs: number | undefined
  #failures = 0
  #authRefusals = 0
  #downSince: number
  /** How long the last link was told to stay away. */
  #postponedMs = 0

  constructor(options: RetryOptions, ports: RetryBudgetPorts) {
    this.#options = options
    this.#ports = ports
    this.#function = new RetryFunction(options.reconnect === false ? {} : options.reconnect)
    this.#downSince = options.clock.now()
  }

  /** Failures in a row, the loss of a stable link being the first. */
  get failures(): number {
    return this.#failures
  }

  /** Milliseconds that are left of `giveUpAfterMs`. */
  get leftMs(): number {
    const { reconnect, clock } = this.#options
    if (reconnect === false) return Infinity
    return Math.max(this.#downSince + reconnect.giveUpAfterMs - clock.now(), 0)
  }

  /** From now on there is no link. */
  down(): void {
    this.#downSince = this.#options.clock.now()
  }

  /** The server, before it ended the link, asked us to stay away for so long. */
  postpone(ms: number): void {
    this.#postponedMs = ms
  }

  /** An attempt begins: what was asked for the wait before it is done. */
  attempting(): void {
    this.#postponedMs = 0
  }

  /** The server has let us in. */
  accepted(): void {
    this.#authRefusals = 0
  }

  /** Starts over: the next attempt is wanted, not a second try. */
  forgive(): void {
    this.#failures = 0
    this.#function.reset()
  }

  /** Counts the failure; returns why it was the last, or `undefined`. */
  judge(failure: Failure): BusError | undefined {
    const { reconnect } = this.#options
    const { error, wasStable } = failure
    if (reconnect === false) return error
    // Nothing was tried.
    if (error instanceof CircuitOpenError) return undefined
    this.#failures = wasStable ? 1 : this.#failures + 1
    if (wasStable) this.#function.reset()
    if (this.#verdict(failure) === 'fatal') {
      if (!isAuthRefusal(error)) return error
      // Fresh credentials may still be good; the same ones never are.
      this.#authRefusals++
      const canRefresh = this.#hasFreshCredentials && this.#authRefusals === 1
      const message = 'The server does not accept our credentials'
      if (!canRefresh) return new AuthError(message, { cause: error })
    }
    if (this.#failures > reconnect.maxAttempts) {
      const message = `Gave up after ${this.#failures} failures in a row`
      return new AttemptsExhaustedError(message, { cause: error })
    }
    return this.leftMs > 0 ? this.#decide(error) : this.timeIsUp(error)
  }

  /** The end by `giveUpAfterMs`. */
  timeIsUp(cause: BusError): AttemptsExhaustedError {
    const downMs = this.#options.clock.now() - this.#downSince
    return new AttemptsExhaustedError(`Gave up after ${Math.round(downMs)} ms without a link`, {
      cause,
    })
  }

  /** How long the server asked us to stay away. */
  askedMs(cause: BusError): number {
    return cause instanceof HandshakeError ? (cause.retryAfterMs ?? 0) : this.#postponedMs
  }

  /** Milliseconds before the next attempt: what the server asked for, and the backoff on top to spread the clients. */
  delayMs(cause: BusError): number {
    const { reconnect, random } = this.#options
    if (reconnect === false) return 0
    if (this.#toldMs !== undefined) return this.askedMs(cause) + this.#toldMs
    const own = this.#ask(
      () => delayOf(reconnect.backoff, this.#failures, random),
      () => delayOf(backoff.exponential(defaults.backoff), this.#failures, Math.random),
    )
    return this.askedMs(cause) + own
  }

  get #hasFreshCredentials(): boolean {
    const { headers, protocol } = this.#options
    return typeof headers === 'function' || protocol.credentials?.isFixed === false
  }

  /** What the retry function says, where there is one: `undefined` goes on. */
  #decide(cause: BusError): BusError | undefined {
    const told = this.#ask(
      () => this.#function.decide(cause),
      () => undefined,
    )
    this.#toldMs = told === 'stop' ? undefined : told
    if (told !== 'stop') return undefined
    const message = `The retry function gave up after ${this.#failures} failures in a row`
    return new AttemptsExhaustedError(message, { cause })
  }

  #verdict({ error, info }: Failure): Verdict {
    const { reconnect } = this.#options
    if (reconnect === false) return 'fatal'
    if (info === undefined) {
      return this.#ask(
        () => reconnect.classify(error),
        () => classify(error),
      )
    }
    const policy = this.#ask(
      () => reconnect.closePolicy(info.code),
      () => closePolicy(info.code),
    )
    return policy === 'stop' ? 'fatal' : 'transient'
  }

  #ask<T>(run: () => T, fallback: () => T): T {
    try {
      return run()
    } catch (error) {
      this.#ports.misbehaved(error)
      return fallback()
    }
  }
}
