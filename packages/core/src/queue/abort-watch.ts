/** Listening to abort signals: for one wait, or for many that may share a signal. */

/**
 * Calls `run` with the reason once the signal aborts; now, if it has. Without a signal never.
 *
 * @returns a function that stops listening
 */
export function onAbort(
  signal: AbortSignal | undefined,
  run: (reason: unknown) => void,
): () => void {
  const listener = (): void => run(signal?.reason)
  if (signal?.aborted === true) listener()
  else signal?.addEventListener('abort', listener, { once: true })
  return () => signal?.removeEventListener('abort', listener)
}

interface Watched<T> {
  readonly waits: Set<T>
  readonly stop: () => void
}

/**
 * Watches many waits with one listener for each signal. One listener per wait would make Node warn of a leak from the
 * eleventh on, and removing them one by one costs the square of their number. A single shutdown signal for every publish
 * is the ordinary case.
 */
export class AbortWatch<T> {
  readonly #onAbort: (wait: T, signal: AbortSignal) => void
  readonly #watched = new Map<AbortSignal, Watched<T>>()

  /** @param ended - called for each wait of a signal that aborts, in the order they were added */
  constructor(ended: (wait: T, signal: AbortSignal) => void) {
    this.#onAbort = ended
  }

  /** Where the signal has aborted, the wait ends now. */
  add(signal: AbortSignal, wait: T): void {
    if (signal.aborted) {
      this.#onAbort(wait, signal)
      return
    }
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
    const stopListening = onAbort(signal, () => {
      stop()
      for (const wait of waits) this.#onAbort(wait, signal)
    })
    const stop = (): void => {
      this.#watched.delete(signal)
      stopListening()
    }
    const watched = { waits, stop }
    this.#watched.set(signal, watched)
    return watched
  }
}
