/** Runs something once the bytes that already wait in the sockets have been read. */

// Of the process, not what a test puts in its place.
const { setImmediate } = globalThis

/** The first iteration of the event loop ends in reading what waits; the second is after what that reading set in motion. */
export function afterReading(run: () => void): void {
  setImmediate(() => setImmediate(run))
}
