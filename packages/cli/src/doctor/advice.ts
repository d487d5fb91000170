/** Advice: what an error means, and what to do about it. */

/** Two sentences about one kind of error. */
export interface Advice {
  /** What happened. */
  readonly message: string
  /** What to do about it. */
  readonly suggestion: string
}

/** Advice from its two sentences. */
export function advice(message: string, suggestion: string): Advice {
  return Object.freeze({ message, suggestion })
}
