/** What follows a failed handler: a retry, a dead letter, a drop, or the end of the subscription. */

import { AbortedError, asError } from '../contract/errors.ts'
import type { Event } from '../contract/event.ts'
import {
  nextStep,
  type NextStep,
  type ResolvedErrorPolicy,
  type ResolvedDeadLetterPolicy,
} from '../resilience/error-policy.ts'
import { sleep } from '../resilience/wait.ts'
import { UnsettledError } from './iterate.ts'
import type { BusEvents } from './notices.ts'
import type { HandlerRunner, SubscriptionHost } from './handler-runner.ts'
import type { Undeliverable } from '../contract/transport.ts'
import { delayOf } from '../resilience/backoff.ts'

/** What the handling of failures needs of its subscription. */
export interface FailureHandlingOwner {
  /** Resolves when a handler may start; at once unless paused. */
  untilResumed(): Promise<void>
  /** Aborted when no handler may start any more. */
  readonly stop: AbortSignal
  /** An attempt failed, also one that is retried. */
  attemptFailed(): void
  /** The event is tried again after `delayMs`. */
  retrying(retry: Retry): void
  /** A retry succeeded. */
  succeeded(token: number): void
  /** The event has come to its end without success. */
  settle(token: number): void
  /** The error policy ends the subscription. */
  fail(error: Error, event: Event): void
}

type Retry = Omit<BusEvents['retry'], 'id'>

/** How often handlers failed, and what followed. */
export interface FailureCounts {
  readonly failed: number
  readonly retried: number
  readonly deadLettered: number
}

/** Applies the error policy of one subscription. Nothing here throws or rejects. */
export class FailureHandling {
  readonly #owner: FailureHandlingOwner
  readonly #host: SubscriptionHost
  readonly #runner: HandlerRunner
  readonly #policy: ResolvedErrorPolicy
  readonly #deadLettering: DeadLettering
  #failed = 0
  #retried = 0
  #deadLettered = 0

  constructor(
    owner: FailureHandlingOwner,
    host: SubscriptionHost,
    runner: HandlerRunner,
    policy: ResolvedErrorPolicy,
  ) {
    this.#owner = owner
    this.#host = host
    this.#runner = runner
    this.#policy = policy
    this.#deadLettering = new DeadLettering(host, policy.deadLetter, owner.stop)
  }

  counts(): FailureCounts {
    return {
      failed: this.#failed,
      retried: this.#retried,
      deadLettered: this.#deadLettered,
    }
  }

  /** The first attempt failed. `undefined` when the event has come to its end already. */
  failed(event: Event, token: number, error: unknown): undefined | Promise<void> {
    if (error instanceof UnsettledError) return this.#abandoned(event, token, error)
    this.#onFailedAttempt()
    const step = this.#step(1, error)
    if (step.action === 'retry') return this.#retry(event, token, error, step.delayMs)
    return this.#end(step.action, event, token, error, 1)
  }

  /** An event that failed before its handler was called. */
  refuse(event: Event, token: number, error: unknown): void {
    this.#onFailedAttempt()
    void this.#end('dlq', event, token, error, 0)
  }

  /** Its consumer stopped: no failure of a handler, and nothing that could be tried again here. */
  #abandoned(event: Event, token: number, error: Error): undefined | Promise<void> {
    if (!this.#host.hasDeadLetters) return this.#end('drop', event, token, error, 1)
    const letter = { reason: 'closed', direction: 'inbound', error, attempts: 1, event } as const
    const end = this.#deadLettering.store(letter)
    if (typeof end === 'string') return this.#onDeadLettered(end, event, token, error)
    return end.then((later) => this.#onDeadLettered(later, event, token, error))
  }

  #onFailedAttempt(): void {
    this.#failed++
    this.#owner.attemptFailed()
  }

  /** Tries again in place, so that the events behind this one keep their order. */
  async #retry(event: Event, token: number, first: unknown, delayMs: number): Promise<void> {
    let error = first
    let wait = delayMs
    for (let attempt = 2; ; attempt++) {
      this.#owner.retrying({ event, attempt: attempt - 1, delayMs: wait, error: asError(error) })
      if (!(await this.#waited(wait))) {
        await this.#end('dlq', event, token, error, attempt - 1)
        return
      }
      this.#retried++
      try {
        await this.#runner.run(event, attempt)
        this.#owner.succeeded(token)
        return
      } catch (again) {
        error = again
        this.#onFailedAttempt()
      }
      const step = this.#step(attempt, error)
      if (step.action !== 'retry') {
        await this.#end(step.action, event, token, error, attempt)
        return
      }
      wait = step.delayMs
    }
  }

  /** `false`: no handler may start any more. */
  async #waited(ms: number): Promise<boolean> {
    const { stop } = this.#owner
    try {
      await sleep(ms, { signal: stop, clock: this.#host.clock })
    } catch (error) {
      // Aborted is the one way in which a sleep can fail.
      if (!(error instanceof AbortedError)) this.#host.report('handler', asError(error))
      return false
    }
    await this.#owner.untilResumed()
    return !stop.aborted
  }

  #step(attempt: number, error: unknown): NextStep {
    const { hasDeadLetters, random } = this.#host
    return nextStep(this.#policy, { attempt, error, hasDeadLetters }, random)
  }

  /** `undefined` when that is over already. */
  #end(
    action: 'dlq' | 'drop' | 'fail',
    event: Event,
    token: number,
    thrown: unknown,
    attempts: number,
  ): undefined | Promise<void> {
    const error = asError(thrown)
    if (action === 'fail') {
      this.#owner.fail(error, event)
      this.#owner.settle(token)
      return undefined
    }
    this.#host.report('handler', error)
    if (action === 'drop') {
      this.#owner.settle(token)
      return undefined
    }
    const letter = { reason: 'handler', direction: 'inbound', error, attempts, event } as const
    const end = this.#deadLettering.store(letter)
    if (typeof end === 'string') return this.#onDeadLettered(end, event, token, error)
    return end.then((later) => this.#onDeadLettered(later, event, token, error))
  }

  #onDeadLettered(end: LetterEnd, event: Event, token: number, error: Error): undefined {
    if (end === 'stored') this.#deadLettered++
    if (end === 'stored' || end === 'log') this.#owner.settle(token)
    if (end === 'fail') this.#owner.fail(error, event)
  }
}

/** `stored`, or what becomes of an event whose dead letter could not be delivered. */
export type LetterEnd = 'stored' | 'keep' | 'log' | 'fail'

type Host = Pick<SubscriptionHost, 'announce' | 'clock' | 'giveUp' | 'random' | 'report' | 'store'>

/** Of one subscription. Nothing here throws or rejects. */
export class DeadLettering {
  readonly #host: Host
  readonly #policy: ResolvedDeadLetterPolicy
  readonly #stop: AbortSignal

  /** @param stop - aborted when nothing may be tried again */
  constructor(host: Host, policy: ResolvedDeadLetterPolicy, stop: AbortSignal) {
    this.#host = host
    this.#policy = policy
    this.#stop = stop
  }

  /** Stores the letter of an event that is given up. At once where nothing has to be awaited. */
  store(letter: Undeliverable): LetterEnd | Promise<LetterEnd> {
    const { deliver } = this.#policy
    if (deliver === undefined) {
      return this.#host.giveUp(letter) ? 'stored' : this.#onFailure(letter)
    }
    this.#host.announce(letter)
    return this.#deliver(letter).then((isStored) => (isStored ? 'stored' : this.#onFailure(letter)))
  }

  #onFailure(letter: Undeliverable): LetterEnd | Promise<LetterEnd> {
    const { fallback } = this.#policy
    return fallback === 'retry' ? this.#again(letter) : fallback
  }

  async #again(letter: Undeliverable): Promise<LetterEnd> {
    const { attempts, backoff } = this.#policy
    for (let failures = 1; failures < attempts; failures++) {
      if (!(await this.#waited(delayOf(backoff, failures, this.#host.random)))) return 'keep'
      if (await this.#deliver(letter)) return 'stored'
    }
    return 'keep'
  }

  async #deliver(letter: Undeliverable): Promise<boolean> {
    const { deliver } = this.#policy
    if (deliver === undefined) return this.#host.store(letter)
    try {
      await deliver(letter)
      return true
    } catch (error) {
      this.#host.report('dead-letter', asError(error))
      return false
    }
  }

  /** `false`: nothing may be tried again. */
  async #waited(ms: number): Promise<boolean> {
    try {
      await sleep(ms, { signal: this.#stop, clock: this.#host.clock })
      return true
    } catch (error) {
      // Aborted is the one way in which a sleep can fail.
      if (!(error instanceof AbortedError)) this.#host.report('dead-letter', asError(error))
      return false
    }
  }
}
