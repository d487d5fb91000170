/** The last chance to do something before the process ends. */

/**
 * Runs when the process ends, but not when a signal kills it.
 *
 * @returns a function that takes it back
 */
export function onProcessExit(run: () => void): () => void {
  // As Node's documentation does it: many recorders are no leak, and must not look like one.
  changeLimit(1)
  process.on('exit', run)
  let isOver = false
  return () => {
    if (isOver) return
    isOver = true
    process.off('exit', run)
    changeLimit(-1)
  }
}

/** 0 stands for no limit. */
function changeLimit(by: 1 | -1): void {
  const limit = process.getMaxListeners()
  if (limit > 0) process.setMaxListeners(limit + by)
}
