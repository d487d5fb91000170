/** A case of the suite: one promise of the contract, as data, with how it is tried. */
import type { Capabilities } from '@bus/core'
import type { FaultName, Level } from './medium.ts'
import type { World } from './world/world.ts'

/** What a transport must promise before a case concerns it. */
export interface Claim {
  /** The capability in words, for titles and the report: `wildcards`, `order per publisher`. */
  readonly capability: string
  /** Whether these capabilities promise it. */
  holds(capabilities: Capabilities): boolean
}

/** One case. `F` names the faults that it uses; {@link World.faults} has exactly those. */
export interface ConformanceCase<F extends FaultName = never> {
  /** A letter for the group and a number: `B3`. Never given to another case. */
  readonly id: string
  readonly level: Level
  /** What is then true, as a sentence without a subject's name: "an event reaches every subscription once". */
  readonly title: string
  /** Which promise turns the case on. @default it concerns every transport */
  readonly needs?: Claim
  /** Which faults it uses; without one of them it is not exercised. @default none */
  readonly faults?: readonly F[]
  /** Milliseconds that it may take, with a medium of its own. @default 20_000 */
  readonly limitMs?: number
  /** Rejects with an `AssertionError` when the promise is not kept. What it makes with the world is closed afterwards. */
  run(world: World<F>): Promise<void>
}

/** A case whatever faults it uses, as the catalogue holds it. */
export type AnyCase = ConformanceCase<FaultName>

/** An id that is kept for a promise which the contract does not have. */
export interface ReservedCase {
  readonly id: string
  readonly level: Level
  readonly title: string
  /** Why there is nothing to try, in one sentence. */
  readonly reason: string
}

/** The cases that concern one part of the contract. */
export interface CaseGroup {
  /** The letter that its ids begin with. */
  readonly letter: string
  readonly title: string
  readonly cases: readonly AnyCase[]
  readonly reserved: readonly ReservedCase[]
}
