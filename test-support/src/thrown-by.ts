/** What a call throws, in tests. */

/** The error, or `undefined` when the call returns. */
export function thrownBy(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}
