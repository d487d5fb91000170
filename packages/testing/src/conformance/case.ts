/** A case of the suite as data: which guarantee of the contract it tries, what it requires, and how it runs. */
import type { Capabilities } from '@bus/core'
import type { FaultName, CaseLevel } from './medium.ts'
import type { World } from './world/world.ts'

/** What a transport must promise before a case concerns it. */
interface Requirement {
  /** The capability in words, for titles and the report: `wildcards`, `order per publisher`. */
  readonly capability: string
  /** Whether these capabilities promise it. */
  isMet(capabilities: Capabilities): boolean
}

/** One case. `F` names the faults that it uses; {@link World.faults} has exactly those. */
export interface ConformanceCase<F extends FaultName = never> {
  /** A letter for the group and a number: `B3`. Never given to another case. */
  readonly id: string
  readonly level: CaseLevel
  /** What is then true, as a sentence without a subject's name: "an event reaches every subscription once". */
  readonly title: string
  /** Which promise turns the case on. @default it concerns every transport */
  readonly needs?: Requirement
  /** Which faults it uses; without one of them it is not exercised. @default none */
  readonly faults?: readonly F[]
  /** Milliseconds that it may take, with a medium of its own. @default 20_000 */
  readonly limitMs?: number
  /** Rejects with an `AssertionError` when the promise is not kept. What it makes with the world is closed afterwards. */
  run(world: World<F>): Promise<void>
}

/** A case whatever faults it uses, as the catalogue contains it. */
export type AnyCase = ConformanceCase<FaultName>

/** An id that is kept for a promise which the contract does not have. */
interface ReservedCase {
  readonly id: string
  readonly level: CaseLevel
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

/** What was published is confirmed. */
export const CONFIRMS: Requirement = claim('publishConfirm', ({ publishConfirm }) => publishConfirm)

/** What comes a second time is known. */
export const DEDUPES: Requirement = claim('dedupe', ({ dedupe }) => dedupe)

/** A lost link is made again. */
export const RECONNECTS: Requirement = claim('reconnect', ({ reconnect }) => reconnect)

/** What a break kept away comes after it. */
export const RESUMES: Requirement = claim('resume', ({ resume }) => resume)

/** Lost events are reported as gaps. */
export const REPORTS_GAPS: Requirement = claim('gaps', ({ gaps }) => gaps)

/** A slow handler applies backpressure to publishers. */
export const INBOUND_BACKPRESSURE: Requirement = claim(
  'inbound backpressure',
  ({ backpressure }) => backpressure.inbound !== 'none',
)

/** A publisher waits while its queue is full. */
export const BLOCKS: Requirement = claim(
  'outbound backpressure',
  ({ backpressure }) => backpressure.outbound === 'block',
)

/** A pattern may stand for many types. */
export const WILDCARDS: Requirement = claim('wildcards', ({ wildcards }) => wildcards)

/** Bytes arrive as bytes. */
export const BINARY: Requirement = claim('binary', ({ binary }) => binary)

/** The events of one publisher stay in order. */
export const KEEPS_ORDER: Requirement = claim(
  'order per publisher',
  ({ ordering }) => ordering !== 'none',
)

/** Every subscriber sees the events of all publishers in one order. */
export const TOTAL_ORDER: Requirement = claim('total order', ({ ordering }) => ordering === 'total')

/** Both. */
export function both(one: Requirement, other: Requirement): Requirement {
  return claim(
    `${one.capability} and ${other.capability}`,
    (capabilities) => one.isMet(capabilities) && other.isMet(capabilities),
  )
}

function claim(capability: string, isMet: (capabilities: Capabilities) => boolean): Requirement {
  return Object.freeze({ capability, isMet })
}
