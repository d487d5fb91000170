/** Waiting for something that happens in another process. */

/** Milliseconds between two looks. */
const LOOK_MS = 100
/** Milliseconds without any change after which it does not come any more. */
const STALLED_MS = 15_000

/** Looks until it is so. @returns whether it came; `false` when nothing has changed for a long time */
export async function untilState<T>(
  look: () => Promise<T>,
  isSo: (state: T) => boolean,
): Promise<boolean> {
  let before = ''
  let movedAt = performance.now()
  for (;;) {
    const state = await look()
    if (isSo(state)) return true
    const now = JSON.stringify(state)
    if (now !== before) movedAt = performance.now()
    else if (performance.now() - movedAt > STALLED_MS) return false
    before = now
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}
