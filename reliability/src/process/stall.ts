/** A stall: an event loop that does not turn. */

/** Keeps this process busy. */
export function stall(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}
