/** Time as a parameter: state machines run in simulation without waiting. */

/** A timer that was started; give it back to `clearTimeout`. */
export interface Timer {
  /** Lets the process end although the timer is running, where the platform has that. */
  unref?(): void
}

/** Where durations and deadlines come from. */
export interface Clock {
  /** Monotonic milliseconds. Only differences mean something. */
  now(): number
  setTimeout(run: () => void, ms: number): Timer
  clearTimeout(timer: Timer): void
}

/** The largest delay that `setTimeout` honours; above it Node fires after 1 ms. */
export const MAX_TIMEOUT_MS: number = 2 ** 31 - 1

// Taken when the clock is made: a test that puts fake timers in their place stops its own code with them, not a transport that
// waits for a real socket.
const { clearTimeout, performance, setTimeout } = globalThis

/** The clock of the machine. */
export const systemClock: Clock = Object.freeze({
  now: () => performance.now(),
  setTimeout: (run: () => void, ms: number): Timer =>
    setTimeout(run, Math.min(Math.max(ms, 0), MAX_TIMEOUT_MS)),
  clearTimeout: (timer: Timer): void => clearTimeout(timer as NodeJS.Timeout),
})

/** A source of numbers in [0, 1), like `Math.random`. */
export type Random = () => number

/**
 * Calls `run` once after `ms`, also beyond what one timer can wait; `Infinity` never.
 *
 * @returns a function that stops it
 */
export function setLongTimeout(clock: Clock, ms: number, run: () => void): () => void {
  let timer: Timer | undefined
  const arm = (left: number): void => {
    const part = Math.min(left, MAX_TIMEOUT_MS)
    timer = clock.setTimeout(() => {
      timer = undefined
      if (left > part) arm(left - part)
      else run()
    }, part)
  }
  arm(Math.max(ms, 0))
  return () => {
    if (timer !== undefined) clock.clearTimeout(timer)
    timer = undefined
  }
}
