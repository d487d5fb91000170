/** From an event to its end: handled, retried, dead-lettered, dropped, or the end of the subscription. */
import { AbortedError } from '../contract/errors.ts'
import type { Event } from '../contract/event.ts'
import { nextStep, type NextStep, type ResolvedErrorPolicy } from '../resilience/error-policy.ts'
import { sleep } from '../resilience/wait.ts'
import type { HandlerRunner } from './handler-runner.ts'
import type { SubscriptionHost } from './subscription-host.ts'
import { asError } from './thrown.ts'

/** What the handling of an event needs of its subscription. */
export interface HandlingOwner {
  /** Resolves when a handler may start; at once unless paused. */
  untilResumed(): Promise<void>
  /** Aborted when no handler may start any more. */
  readonly stop: AbortSignal
  settle(token: number): void
  /** The error policy ends the subscription. */
  fail(error: Error, event: Event): void
}

export interface HandlingCounts {
  readonly handled: number
  readonly failed: number
  readonly retried: number
  readonly deadLettered: number
  readonly consecutiveErrors: number
}

/** Applies the error policy of one subscription. Nothing here throws or rejects. */
export class EventHandling {
  readonly #owner: HandlingOwner
  readonly #host: SubscriptionHost
  readonly #runner: HandlerRunner
  readonly #policy: ResolvedErrorPolicy
  #handled = 0
  #failed = 0
  #retried = 0
  #deadLettered = 0
  #consecutiveErrors = 0

  constructor(
    owner: HandlingOwner,
    host: SubscriptionHost,
    runner: HandlerRunner,
    policy: ResolvedErrorPolicy,
  ) {
    this.#owner = owner
    this.#host = host
    this.#runner = runner
    this.#policy = policy
  }

  counts(): HandlingCounts {
    return {
      handled: this.#handled,
      failed: this.#failed,
      retried: this.#retried,
      deadLettered: this.#deadLettered,
      consecutiveErrors: this.#consecutiveErrors,
    }
  }

  /** `undefined` when the event has come to its end already. */
  handle(event: Event, token: number): undefined | Promise<void> {
    let run: undefined | Promise<void>
    try {
      run = this.#runner.run(event, 1)
    } catch (error) {
      return this.#onFailure(event, token, error)
    }
    if (run !== undefined) {
      return run.then(
        () => this.#succeed(token),
        (error: unknown) => this.#onFailure(event, token, error),
      )
    }
    this.#succeed(token)
    return undefined
  }

  /** An event that failed before its handler was called. */
  refuse(event: Event, token: number, error: unknown): void {
    this.#onFailedAttempt()
    this.#end('dlq', event, token, error, 0)
  }

  #succeed(token: number): void {
    this.#handled++
    this.#consecutiveErrors = 0
    this.#owner.settle(token)
  }

  #onFailedAttempt(): void {
    this.#failed++
    this.#consecutiveErrors++
  }

  #onFailure(event: Event, token: number, error: unknown): undefined | Promise<void> {
    this.#onFailedAttempt()
    const step = this.#step(1, error)
    if (step.action === 'retry') return this.#retry(event, token, error, step.delayMs)
    this.#end(step.action, event, token, error, 1)
    return undefined
  }

  /** Tries again in place, so that the events behind this one keep their order. */
  async #retry(event: Event, token: number, first: unknown, delayMs: number): Promise<void> {
    let error = first
    let wait = delayMs
    for (let attempt = 2; ; attempt++) {
      if (!(await this.#waited(wait))) {
        this.#end('dlq', event, token, error, attempt - 1)
        return
      }
      this.#retried++
      try {
        await this.#runner.run(event, attempt)
        this.#succeed(token)
        return
      } catch (again) {
        error = again
        this.#onFailedAttempt()
      }
      const step = this.#step(attempt, error)
      if (step.action !== 'retry') {
        this.#end(step.action, event, token, error, attempt)
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

  #end(
    action: 'dlq' | 'drop' | 'fail',
    event: Event,
    token: number,
    thrown: unknown,
    attempts: number,
  ): void {
    const error = asError(thrown)
    if (action === 'fail') {
      this.#owner.fail(error, event)
      this.#owner.settle(token)
      return
    }
    this.#host.report('handler', error)
    if (action === 'dlq') {
      const reason = 'handler'
      if (!this.#host.giveUp({ reason, direction: 'inbound', error, attempts, event })) return
      this.#deadLettered++
    }
    this.#owner.settle(token)
  }
}
