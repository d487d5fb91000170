/** Waiting that ends: sleeping, deadlines and cancellation, which leave no timer and no listener behind. */
import { check } from '../config/checks.ts'
import { setLongTimeout, systemClock, type Clock } from '../contract/clock.ts'
import { AbortedError, TimeoutError } from '../contract/errors.ts'
import { onAbort } from '../queue/abort-watch.ts'

/** How to run something within a limit. */
export interface DeadlineOptions {
  /** Milliseconds from now after which the call rejects with `TimeoutError`. @default no limit */
  readonly timeoutMs?: number | undefined
  /** Ends the call with `AbortedError`. */
  readonly signal?: AbortSignal | undefined
  /** @default the clock of the machine */
  readonly clock?: Clock | undefined
  /** A number that grows with each step of the work: when it has grown, the time begins anew. @default it does not */
  readonly steps?: (() => number) | undefined
  /** Names what is waited for in the message: "The handshake". */
  readonly what: string
}

const checkDuration = check.durationMs({ allowInfinity: true, allowLong: true })

/**
 * Resolves after `ms`, also beyond what one timer can wait.
 *
 * @throws `AbortedError` as soon as the signal aborts.
 */
export function sleep(
  ms: number,
  options: { readonly signal?: AbortSignal | undefined; readonly clock?: Clock | undefined } = {},
): Promise<void> {
  const { signal, clock = systemClock } = options
  return new Promise((resolve, reject) => {
    checkDuration('ms', ms)
    if (signal?.aborted === true) throw new AbortedError('The wait', { cause: signal.reason })
    const stopTimer = setLongTimeout(clock, ms, () => {
      stopListening()
      resolve()
    })
    const stopListening = onAbort(signal, (cause) => {
      stopTimer()
      reject(new AbortedError('The wait', { cause }))
    })
  })
}

/**
 * Runs something that gets a deadline, which is absolute unless `steps` says that it is getting on.
 *
 * The call settles in time even if `run` never does; its signal then aborts with the same error, and what it
 * rejects with later is of no interest any more.
 *
 * @throws `TimeoutError`, `AbortedError`, or what `run` throws.
 */
export async function withDeadline<T>(
  run: (signal: AbortSignal) => Promise<T> | T,
  options: DeadlineOptions,
): Promise<T> {
  const { timeoutMs = Infinity, signal, clock = systemClock, steps = () => 0, what } = options
  checkDuration('timeoutMs', timeoutMs)
  if (signal?.aborted === true) throw new AbortedError(what, { cause: signal.reason })
  const inner = new AbortController()
  return await new Promise<T>((resolve, reject) => {
    const giveUp = (error: Error): void => {
      release()
      reject(error)
      inner.abort(error)
    }
    const stopListening = onAbort(signal, (cause) => giveUp(new AbortedError(what, { cause })))
    let stopTimer: (() => void) | undefined
    const arm = (before: number): void => {
      stopTimer = setLongTimeout(clock, timeoutMs, () => {
        const now = steps()
        if (now !== before) arm(now)
        else giveUp(new TimeoutError(`${what} took longer than ${timeoutMs} ms`))
      })
    }
    if (timeoutMs !== Infinity) arm(steps())
    const release = (): void => {
      stopTimer?.()
      stopListening()
    }
    // An async function, so that what `run` throws at once takes the same way.
    const started = (async () => await run(inner.signal))()
    started.finally(release).then(resolve, reject)
  })
}

/**
 * The promise, or `AbortedError` as soon as the signal aborts. The work behind the promise goes on.
 *
 * @param what - names what is waited for in the message: "Connecting"
 */
export function abortable<T>(
  promise: PromiseLike<T>,
  signal: AbortSignal | undefined,
  what: string,
): Promise<T> {
  const settled = Promise.resolve(promise)
  if (signal === undefined) return settled
  return new Promise<T>((resolve, reject) => {
    const stopListening = onAbort(signal, (cause) => reject(new AbortedError(what, { cause })))
    // One microtask later, no more: this caller must not learn of it after all others. What the promise rejects with
    // after the abort has no meaning any more.
    settled.then(resolve, reject).finally(stopListening)
  })
}
