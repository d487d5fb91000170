/** The supervisor: keeps one link alive, one attempt at a time, until it is stopped or must give up. */

import {
  AbortedError,
  DisconnectedError,
  AttemptsExhaustedError,
  AuthError,
  HandshakeError,
  backoff,
  ConfigError,
  type BusError,
  type Random,
} from '@bus/core'
import { setLongTimeout, sleep, withDeadline, delayOf, MAX_TIMEOUT_MS } from '@bus/core/kit'
import type { OpossumBreaker } from './breaker.ts'
import type { Lifecycle } from './lifecycle.ts'
import { closeError, toBusError } from '../link/dial.ts'
import type { CloseInfo, Link } from '../link/link.ts'
import { classify, isAuthRefusal, type FailureClass } from '../options/classify.ts'
import type { ReconnectBackoff, ResolvedOptions } from '../options/options.ts'
import { defaults } from '../options/resolve-options.ts'

export interface ReconnectPorts {
  /** Opens a connection, whose link is not started yet. */
  dial(attempt: number, signal: AbortSignal): Promise<Link>
  /** Authentication, bootstrap frames, subscriptions: what must be done before ready. */
  bootstrap(link: Link, attempt: number, signal: AbortSignal): Promise<void>
  /** What the end of a link that was not ready yet means, where that is more than the loss of a link. */
  refusal?(info: CloseInfo): BusError | undefined
  /** Ready: the outbox may go. */
  up(link: Link): void
  down(link: Link, info: CloseInfo): void
  /** An attempt failed; another follows unless `isLast`. */
  failed(error: BusError, isLast: boolean): void
  /** A function of the options threw; its default stood in for it. */
  misbehaved(error: unknown): void
  /** It is over; nothing is tried again. */
  ended(cause: BusError): void
}

/** One loop, so that many triggers make one reconnect, and one timer at most. */
export class Reconnector {
  readonly #options: ResolvedOptions
  readonly #ports: ReconnectPorts
  readonly #lifecycle: Lifecycle
  readonly #breaker: OpossumBreaker | undefined
  readonly #budget: RetryBudget
  readonly #stop = new AbortController()
  #isRunning = false
  #link: Link | undefined
  /** The link ends because `reconnect` was called. */
  #isRequested = false
  /** Ends the wait between two attempts. */
  #wake: AbortController | undefined

  constructor(
    options: ResolvedOptions,
    lifecycle: Lifecycle,
    breaker: OpossumBreaker | undefined,
    ports: ReconnectPorts,
  ) {
    this.#options = options
    this.#lifecycle = lifecycle
    this.#breaker = breaker
    this.#ports = ports
    this.#budget = new RetryBudget(options, ports)
  }

  /** The live link, ready or not. */
  get link(): Link | undefined {
    return this.#link
  }

  /** Starts the loop unless it runs. */
  start(): void {
    if (this.#isRunning || this.#isStopped()) return
    this.#isRunning = true
    this.#budget.down()
    this.#run().catch((error: unknown) => {
      // Nothing in here should throw; if something does, it must not be a silent end.
      if (!this.#isStopped()) this.#ports.ended(toBusError(error))
    })
  }

  /** Drops the link and connects again at once; ends a wait that is under way. An attempt under way goes on: it is one. */
  reconnect(reason: string): void {
    if (this.#wake !== undefined) this.#wake.abort()
    else if (this.#link !== undefined || this.#lifecycle.state === 'ready') {
      this.#isRequested = true
      // Not 1000: a hub would take that for the end of the session's subscriptions.
      this.#link?.close(1001, reason)
    }
  }

  /** Stays away for so long once the link has ended, besides the backoff. */
  postpone(ms: number): void {
    this.#budget.postpone(ms)
  }

  /** Ends the loop for good. The caller closes the link. */
  stop(): void {
    this.#stop.abort()
    this.#wake?.abort()
  }

  #isStopped(): boolean {
    return this.#stop.signal.aborted
  }

  async #run(): Promise<void> {
    for (;;) {
      const failure = await this.#attempt()
      if (this.#isStopped()) return
      if (this.#isRequested) {
        this.#isRequested = false
        this.#budget.forgive()
        this.#enterBackoff(0, failure.error)
        continue
      }
      const end = this.#budget.judge(failure) ?? (await this.#pause(failure.error))
      if (this.#isStopped()) return
      if (end !== undefined) {
        this.#ports.failed(end, true)
        this.#ports.ended(end)
        return
      }
    }
  }

  /** One attempt from dialing to the end of the link, and how it ended. */
  async #attempt(): Promise<AttemptFailure> {
    this.#budget.attempting()
    const attempt = this.#budget.failures + 1
    const { state } = this.#lifecycle
    if (state === 'idle' || state === 'backoff') {
      this.#lifecycle.enter(state, { state: 'connecting', attempt })
    }
    let info: CloseInfo | undefined
    const open = (): Promise<Link> => this.#open(attempt, (ended) => (info = ended))
    let link: Link
    try {
      // Bootstrapping counts for the breaker too: a server that only accepts sockets is not well.
      link = await (this.#breaker === undefined ? open() : this.#breaker.run(open))
    } catch (error) {
      return { error: toBusError(error), info, wasStable: false }
    }
    return await this.#serve(link)
  }

  /** A link that is ready to be used. `ended` is called when the other side ended it before that. */
  async #open(attempt: number, ended: (info: CloseInfo) => void): Promise<Link> {
    const link = await this.#ports.dial(attempt, this.#stop.signal)
    if (!this.#isStopped()) this.#lifecycle.enter('connecting', { state: 'bootstrapping', attempt })
    // A listener to that may have closed the transport.
    if (this.#isStopped()) {
      link.terminate()
      throw new AbortedError('Connecting')
    }
    link.start(this.#lifecycle.generation)
    this.#link = link
    try {
      await withDeadline((inner) => this.#ports.bootstrap(link, attempt, inner), {
        timeoutMs: this.#options.timeouts.bootstrapMs,
        signal: link.signal,
        clock: this.#options.clock,
        // As many subscriptions as there may be: it is slow, and not stuck, as long as the server answers.
        steps: () => link.answered,
        what: 'Making the connection ready',
      })
      return link
    } catch (error) {
      // By the session too, because of what the server said right behind its welcome.
      const hasEnded = link.signal.aborted
      // Whoever stops us closes the link, and the server may be told so.
      if (!this.#isStopped()) link.terminate()
      const info = await link.closed
      this.#link = undefined
      // The end of a link says more than the wait that it ended.
      const isWait = error instanceof AbortedError || error instanceof DisconnectedError
      const isOurs = info.initiatedBy === 'local' && info.error === undefined
      if (!isWait || (isOurs && !hasEnded)) throw error
      const refusal = this.#ports.refusal?.(info)
      if (refusal !== undefined) throw refusal
      if (!isOurs) ended(info)
      throw closeError(info)
    }
  }

  async #serve(link: Link): Promise<AttemptFailure> {
    if (!this.#isStopped()) {
      this.#lifecycle.enter('bootstrapping', { state: 'ready', protocol: link.subprotocol })
    }
    const readyAt = this.#options.clock.now()
    // A listener to that may have closed the transport, which then waits for the link as we do.
    if (!this.#isStopped()) {
      this.#budget.accepted()
      this.#ports.up(link)
      this.#proveServer()
    }
    const info = await link.closed
    this.#link = undefined
    this.#budget.down()
    this.#ports.down(link, info)
    const { reconnect, clock } = this.#options
    const wasStable = reconnect !== false && clock.now() - readyAt >= reconnect.stableAfterMs
    return { error: closeError(info), info, wasStable }
  }

  /** A link that lasts is what the breaker waits for: no dial follows that could end its probation. */
  #proveServer(): void {
    const breaker = this.#breaker
    if (breaker?.state !== 'half-open') return
    breaker.succeed()
    const { reconnect, breaker: limits, clock } = this.#options
    const stableAfterMs = reconnect === false ? 0 : reconnect.stableAfterMs
    const successes = limits === false ? 0 : limits.successThreshold
    const prove = (): void => {
      for (let n = 0; n < successes; n++) breaker.succeed()
    }
    this.#lifecycle.own(setLongTimeout(clock, stableAfterMs, prove))
  }

  /** Reports the failure and waits for the next attempt. Returns why there is none, should the time run out. */
  async #pause(cause: BusError): Promise<BusError | undefined> {
    this.#ports.failed(cause, false)
    // A listener may have closed the transport.
    if (this.#isStopped()) return undefined
    const wake = new AbortController()
    this.#wake = wake
    const delayMs = this.#budget.delayMs(cause)
    this.#enterBackoff(delayMs, cause)
    const { clock } = this.#options
    try {
      await withDeadline((signal) => sleep(delayMs, { signal, clock }), {
        timeoutMs: this.#budget.leftMs,
        signal: wake.signal,
        clock,
        what: 'The wait',
      })
      return undefined
    } catch {
      // Woken early: by reconnect(), which goes on, by stop(), which the loop sees, or by the end of all time.
      return wake.signal.aborted ? undefined : this.#budget.timeIsUp(cause)
    } finally {
      this.#wake = undefined
    }
  }

  #enterBackoff(delayMs: number, cause: BusError): void {
    const from = this.#lifecycle.state
    if (from === 'idle' || from === 'backoff' || from === 'closed') return
    const attempt = this.#budget.failures
    this.#lifecycle.enter(from, { state: 'backoff', attempt, delayMs, cause })
  }
}

/** How an attempt, or the link that it made, ended. */
export interface AttemptFailure {
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
  /** The backoff before the next attempt. */
  #backoffMs = 0
  #failures = 0
  #authRefusals = 0
  #downSince: number
  /** How long the server of the last link requires us to stay away. */
  #postponedMs = 0

  constructor(options: RetryOptions, ports: RetryBudgetPorts) {
    this.#options = options
    this.#ports = ports
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

  /** The server, before it ended the link, required us to stay away for so long. */
  postpone(ms: number): void {
    this.#postponedMs = ms
  }

  /** An attempt begins: the wait that the server required is over. */
  attempting(): void {
    this.#postponedMs = 0
  }

  /** The server has let us in. */
  accepted(): void {
    this.#authRefusals = 0
  }

  /** Starts over: the next attempt was requested, and is no second try. */
  forgive(): void {
    this.#failures = 0
  }

  /** Counts the failure; returns why it was the last, or `undefined`. */
  judge(failure: AttemptFailure): BusError | undefined {
    const { reconnect } = this.#options
    const { error, wasStable } = failure
    if (reconnect === false) return error
    this.#failures = wasStable ? 1 : this.#failures + 1
    if (this.#classOf(failure) === 'fatal') {
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

  /** Milliseconds before the next attempt: what the server requires, and the backoff on top to spread the clients. */
  delayMs(cause: BusError): number {
    const requiredMs =
      cause instanceof HandshakeError ? (cause.retryAfterMs ?? 0) : this.#postponedMs
    return requiredMs + this.#backoffMs
  }

  get #hasFreshCredentials(): boolean {
    const { headers, protocol } = this.#options
    return typeof headers === 'function' || protocol.credentials === 'renewable'
  }

  /** Gets the next wait from the backoff: `undefined` goes on. */
  #decide(cause: BusError): BusError | undefined {
    const { reconnect, random } = this.#options
    if (reconnect === false) return cause
    const decision = this.#orDefault(
      () => backoffOf(reconnect.backoff, this.#failures, random, cause),
      () => delayOf(backoff.exponential(defaults.backoff), this.#failures, Math.random),
    )
    if (decision !== 'stop') {
      this.#backoffMs = decision
      return undefined
    }
    const message = `The backoff gave up after ${this.#failures} failures in a row`
    return new AttemptsExhaustedError(message, { cause })
  }

  #classOf({ error, info }: AttemptFailure): FailureClass {
    const { reconnect } = this.#options
    if (reconnect === false) return 'fatal'
    return this.#orDefault(
      () => reconnect.classify(error, info?.code),
      () => classify(error, info?.code),
    )
  }

  #orDefault<T>(run: () => T, fallback: () => T): T {
    try {
      return run()
    } catch (error) {
      this.#ports.misbehaved(error)
      return fallback()
    }
  }
}

/** @throws what the function throws, and `ConfigError` for what it must not return */
function backoffOf(
  policy: ReconnectBackoff,
  failures: number,
  random: Random,
  cause: BusError,
): number | 'stop' {
  const said: unknown = policy(Math.max(1, failures), random, cause)
  if (said === 'stop') return said
  if (typeof said !== 'number' || Number.isNaN(said)) {
    throw ConfigError.expected('reconnect.backoff', "to return milliseconds or 'stop'", said)
  }
  return Math.min(Math.max(said, 0), MAX_TIMEOUT_MS)
}
