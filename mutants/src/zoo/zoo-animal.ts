/** An animal of the zoo: a transport that is broken in one way, over the memory transport. */
import type { Transport } from '@bus/core'
import type { Mutant } from '../mutant.ts'

/** Makes a broken transport of a sound one. */
export type Breaking = (sound: Transport) => Transport

/** A broken transport, and the cases of the conformance suite that must notice. */
export interface ZooAnimal extends Mutant {
  /** Called for each medium, whose transports may have something in common. */
  readonly breaks: () => Breaking
  /** Case ids. */
  readonly caughtBy: readonly string[]
}
