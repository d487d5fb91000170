/** A row of the table of bad inputs: what is sent, and everything that must come of it. */
import type { Group } from './group.ts'

/** Figures of a hub that may move. Those that are not named must not. */
export type Moved = Readonly<Record<string, number>>

/** What one peer has heard before, for what follows from it. */
export interface Heard {
  /** The name of the last session that any peer of the row was welcomed to. */
  readonly sid: string
  /** Of the last event that any peer of the row got. */
  readonly offset: number
}

/** Bytes to write, or how they follow from what was heard. */
type Bytes = string | Uint8Array | ((heard: Heard) => string | Uint8Array)

/** One thing that a row does. */
export type Step =
  | { readonly say: Bytes }
  /** Waits for an entry of the transcript that begins so. What came up to it is no part of the outcome. */
  | { readonly hear: string }
  /** Goes on with another connection; those before it stay. */
  | { readonly dial: true }

/** How a row knows that everything was said: by a line, by a pong, by the first answer, which is all of it then, or because the link is over. */
export type Fence = 'line' | 'pong' | 'answer' | 'over'

/** One bad input. */
export interface Row {
  readonly name: string
  /** Which hub of the house it is for. */
  readonly hub: string
  readonly steps: readonly Step[]
  readonly fence: Fence
  /** The transcript behind the last `hear`, entries separated by ` | `. */
  readonly want: string
  /** What the network may make of the same answer: a reset can overtake what was written before it. */
  readonly orElse?: readonly string[]
  readonly moved: Moved
}

/** The rows of a group, by its name. */
export type Table = Readonly<Record<Group, readonly Row[]>>
