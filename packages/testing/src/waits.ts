/** Waiting for something to become true, with a deadline and without leftovers. */
import { AbortedError, TimeoutError, type Clock } from '@bus/core'
import { AbortWatch } from '@bus/core/kit'

/** How long a wait lasts if the call does not say, in milliseconds. */
export const DEFAULT_WAIT_MS = 2_000

/** Limits of a wait. */
export interface WaitForOptions {
  /** How long to wait, in real milliseconds. @default 2_000 */
  readonly timeoutMs?: number | undefined
  /** Ends the wait early. */
  readonly signal?: AbortSignal | undefined
}

/** How long to wait, and the message of a timeout. */
export interface WaitSpec {
  /** What is awaited, for messages: "a connection". */
  readonly what: string
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** More details for the message, called only on failure. */
  readonly details?: () => string
}

interface Pending {
  readonly what: string
  check(): void
  fail(error: unknown): void
}

/** The waits of one thing: each looks again whenever `notify` is called. */
export class Waits {
  readonly #clock: Clock
  readonly #pending = new Set<Pending>()
  readonly #signals = new AbortWatch<Pending>(abort)
  #closed: Error | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves with the first value of `look` that is not `undefined`; looks at once, then after each change. */
  until<T>(look: () => T | undefined, spec: WaitSpec): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const found = look()
      if (found !== undefined) return resolve(found)
      const end = this.#begin({
        spec,
        look: () => {
          const value = look()
          if (value !== undefined) end(() => resolve(value))
        },
        late: () => reject(timeout(spec)),
        fail: reject,
      })
    })
  }

  /** Resolves after `ms`, unless it is aborted or `close` is called. */
  sleep(ms: number, spec: Pick<WaitSpec, 'what' | 'signal'>): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#begin({ spec: { ...spec, timeoutMs: ms }, look: () => {}, late: resolve, fail: reject })
    })
  }

  /** Lets every wait look again. */
  notify(): void {
    for (const pending of this.#pending) pending.check()
  }

  /** Ends every wait, and each later one that would have to wait, with this error. */
  close(error: Error): void {
    this.#closed ??= error
    for (const pending of this.#pending) pending.fail(error)
  }

  /** Registers a wait; the returned function takes it off again and then settles it. */
  #begin(wait: {
    spec: WaitSpec
    look(): void
    late(): void
    fail(error: unknown): void
  }): (settle: () => void) => void {
    const { what, signal, timeoutMs } = wait.spec
    const end = (settle: () => void): void => {
      this.#pending.delete(pending)
      this.#clock.clearTimeout(timer)
      if (signal !== undefined) this.#signals.delete(signal, pending)
      settle()
    }
    const fail = (error: unknown): void => end(() => wait.fail(error))
    const check = (): void => {
      try {
        wait.look()
      } catch (error) {
        fail(error) // a test's own predicate threw: that is the test's failure
      }
    }
    const pending: Pending = { what, check, fail }
    const timer = this.#clock.setTimeout(() => end(() => wait.late()), timeoutMs)
    this.#pending.add(pending)
    if (this.#closed !== undefined) fail(this.#closed)
    else if (signal !== undefined) this.#signals.add(signal, pending)
    return end
  }
}

function abort(pending: Pending, { reason: cause }: AbortSignal): void {
  pending.fail(new AbortedError(`Waiting for ${pending.what}`, { cause }))
}

function timeout(spec: WaitSpec): TimeoutError {
  const details = spec.details?.() ?? ''
  return new TimeoutError(
    `Waited ${spec.timeoutMs} ms for ${spec.what}${details === '' ? '' : `: ${details}`}`,
  )
}
