/** A seeded bug: a change of one place in the sources, and the tests that must fail with it. */
import type { Mutant } from '../mutant.ts'

/** What is changed while the tests run; no file is. */
export interface Change {
  /** From the root of the workspace. */
  readonly file: string
  /** Stands in the file exactly once. */
  readonly find: string
  readonly replace: string
}

/** A bug, and who must notice. */
export interface SeededBug extends Mutant, Change {
  /** Test files, from the root of the workspace, with the ids of those of their tests that must fail. */
  readonly caughtBy: Readonly<Record<string, readonly string[]>>
}
