/** The last way of an event that was given up: it is stored or delivered, again if that fails, and never handled again. */
import { AbortedError } from '../contract/errors.ts'
import type { Undeliverable } from '../contract/transport.ts'
import { delayOf } from '../resilience/backoff.ts'
import type { ResolvedDeadLetterPolicy } from '../resilience/error-policy.ts'
import { sleep } from '../resilience/wait.ts'
import type { SubscriptionHost } from './subscription-host.ts'
import { asError } from './thrown.ts'

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

  /** Gives the event up. At once where nothing has to be awaited. */
  bury(letter: Undeliverable): LetterEnd | Promise<LetterEnd> {
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
    const { retries, backoff } = this.#policy
    for (let failures = 1; failures <= retries; failures++) {
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
