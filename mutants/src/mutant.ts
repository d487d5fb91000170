/** A mutant: something that is broken in one way, and the tests that must notice. */

/** What every mutant says of itself. */
export interface Mutant {
  /** Short, in kebab case; unique. */
  readonly name: string
  /** What is wrong with it, as a clause: "drops every seventh event". */
  readonly bug: string
}

/** What became of one mutant. */
export interface Verdict {
  readonly mutant: Mutant
  /** Where it was put: the zoo, or the file that was changed. */
  readonly place: string
  /** The cases that were named to notice it. */
  readonly named: readonly string[]
  /** Those that did not. None: it is caught. */
  readonly blind: readonly string[]
}
