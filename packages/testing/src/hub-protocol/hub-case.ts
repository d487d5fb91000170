/** A case of the suite: one rule of the protocol, as data, with how it is tried. */
import type { Level } from '../conformance/medium.ts'
import type { HubWorld } from './hub-world.ts'
import type { HubProtocolOptions } from './options.ts'

/** What a case must be told before it can run. */
export interface Need {
  /** Why it is skipped where this is missing. */
  readonly reason: string
  isMet(options: HubProtocolOptions): boolean
}

/** One case. */
export interface HubCase {
  /** `W` and a number, never given to another case. */
  readonly id: string
  readonly level: Level
  /** What a hub does, as a sentence without its subject: "confirms each number once". */
  readonly title: string
  /** @default it runs against every hub */
  readonly needs?: Need
  /** Rejects when the hub does something else. What it opens is closed afterwards. */
  run(world: HubWorld): Promise<void>
}

/** The cases that concern one topic. */
export interface HubCaseGroup {
  readonly title: string
  readonly cases: readonly HubCase[]
}
