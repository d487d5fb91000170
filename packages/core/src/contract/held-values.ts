/** What a pattern holds: nothing, one value, or several. */

/** Nearly every pattern has one value, which needs no set around it. */
export type Held<T> = T | Several<T> | typeof NOTHING

/** Not exported, because a value may itself be a set: nobody else can make one of these. */
class Several<T> extends Set<T> {}

/** No value. `undefined` may be one. */
export const NOTHING: unique symbol = Symbol('nothing')

/** Whether the value is held. */
export function holds<T>(held: Held<T>, value: T): boolean {
  if (held instanceof Several) return held.has(value)
  // As a set compares.
  return held === value || Object.is(held, value)
}

/** What is held with a value more, which was not held before. */
export function withValue<T>(held: Held<T>, value: T): Held<T> {
  if (held === NOTHING) return value
  if (held instanceof Several) return held.add(value)
  return new Several<T>().add(held).add(value)
}

/** What is held without a value that was. */
export function withoutValue<T>(held: Held<T>, value: T): Held<T> {
  if (!(held instanceof Several)) return NOTHING
  held.delete(value)
  return held.size === 0 ? NOTHING : held
}

/** Appends each value to `found`. */
export function collectValues<T>(held: Held<T>, found: T[]): void {
  if (held === NOTHING) return
  if (held instanceof Several) for (const value of held) found.push(value)
  else found.push(held)
}
