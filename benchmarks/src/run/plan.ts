/** The plan of a run: who takes part, how big it is, how often. */
import { CATALOGUE, referenceAmong, type Entry } from '../contenders/catalogue.ts'
import { findProgram } from '../contenders/native-server.ts'
import type { Arguments } from '../arguments.ts'
import type { Size } from './size.ts'

const ROUNDS: Readonly<Record<Size, number>> = Object.freeze({ full: 5, quick: 3, smoke: 1 })

/** What each question needs to know. */
export interface Plan {
  readonly size: Size
  readonly rounds: number
  /** Those asked for, installed or not. */
  readonly entries: readonly Entry[]
  /** The one of ours that others of the class are compared with. */
  reference(guarantee: Entry['guarantee']): string | undefined
  /** Says in a line what was just measured. */
  progress(line: string): void
}

/** Makes the plan that the command line asks for. */
export function planFor(args: Arguments, progress: (line: string) => void): Plan {
  const { contenders, peers, size } = args
  const entries = CATALOGUE.filter(({ name, side }) =>
    contenders === undefined ? peers || side === 'ours' : contenders.includes(name),
  )
  return {
    size,
    rounds: args.rounds ?? ROUNDS[size],
    entries,
    reference: (guarantee) => referenceAmong(entries.filter((one) => one.guarantee === guarantee)),
    progress,
  }
}

/** Why this contender cannot take part; `undefined` where it can. */
export function whyMissing({ needs }: Entry): string | undefined {
  if (needs === undefined || findProgram(needs) !== undefined) return undefined
  return `missing: ${needs} is not installed`
}
