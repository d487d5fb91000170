/** A way to break a promise, and which cases must notice. */
import type { Mutation } from '../mutant.ts'

/** One way to break a promise. */
export interface Wrong {
  readonly does: string
  readonly mutation: Mutation
  /** The cases that notice, each with words of what it says. */
  readonly noticedBy: Readonly<Record<string, RegExp>>
}
