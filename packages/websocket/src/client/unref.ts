/** What the option `unref` changes: timers let the process end, and what a caller waits for keeps it alive. */
import type { Clock } from '@bus/core'
import { MAX_TIMEOUT_MS } from '@bus/core/kit'

/** The clock, with timers that let the process end. */
export function unreferenced(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    setTimeout: (run, ms) => {
      const timer = clock.setTimeout(run, ms)
      timer.unref?.()
      return timer
    },
    clearTimeout: (timer) => clock.clearTimeout(timer),
  }
}

/** Keeps the process alive while a caller waits. */
export class KeepAlive {
  #waits = 0
  #timer: NodeJS.Timeout | undefined

  /** The promise; the process stays alive until it settles. */
  during<T>(promise: Promise<T>): Promise<T> {
    this.#waits += 1
    this.#timer ??= setInterval(() => {}, MAX_TIMEOUT_MS)
    return promise.finally(() => {
      this.#waits -= 1
      if (this.#waits > 0) return
      clearInterval(this.#timer)
      this.#timer = undefined
    })
  }
}
