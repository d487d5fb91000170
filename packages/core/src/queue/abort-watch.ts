/** Watches many waits that may share a signal with one listener for each signal. */

interface Watched<T> {
  readonly waits: Set<T>
  readonly stop: () => void
}

/**
 * One listener per wait would make Node warn of a leak from the eleventh on, and removing them one by one costs the
 * square of their number. A single shutdown signal for every publish is the ordinary case.
 */
export class AbortWatch<T> {
  readonly #onAbort: (wait: T, signal: AbortSignal) => void
  readonly #watched = new Map<AbortSignal, Watched<T>>()

  /** @param onAbort - told for each wait of a signal that aborts, in the order they were added */
  constructor(onAbort: (wait: T, signal: AbortSignal) => void) {
    this.#onAbort = onAbort
  }

  add(signal: AbortSignal, wait: T): void {
    const watched = this.#watched.get(signal) ?? this.#listen(signal)
    watched.waits.add(wait)
  }

  /** The wait is over. With the last wait of a signal its listener goes. */
  delete(signal: AbortSignal, wait: T): void {
    const watched = this.#watched.get(signal)
    if (watched === undefined) return
    watched.waits.delete(wait)
    if (watched.waits.size === 0) watched.stop()
  }

  #listen(signal: AbortSignal): Watched<T> {
    const waits = new Set<T>()
    const onAbort = (): void => {
      stop()
      for (const wait of waits) this.#onAbort(wait, signal)
    }
    const stop = (): void => {
      this.#watched.delete(signal)
      signal.removeEventListener('abort', onAbort)
    }
    const watched = { waits, stop }
    this.#watched.set(signal, watched)
    signal.addEventListener('abort', onAbort)
    return watched
  }
}
