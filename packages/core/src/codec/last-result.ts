/** Remembers the last result of a pure function. */

/**
 * The function, without computing what it has just computed.
 *
 * For timestamps: events that travel together were mostly made in the same millisecond, and formatting a date costs
 * half as much as writing the whole event.
 */
export function withLastResult<A extends string | number, R>(
  compute: (argument: A) => R,
): (argument: A) => R {
  let last: { readonly argument: A; readonly result: R } | undefined
  return (argument) => {
    if (last?.argument !== argument) last = { argument, result: compute(argument) }
    return last.result
  }
}
