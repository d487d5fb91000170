/** A random schedule of faults for a campaign. */
import type { Random, Transport } from '@bus/core'
import type { Mend } from '../medium.ts'
import type { World } from '../world.ts'

/** What a schedule needs of the medium. */
export type ScheduledFault = 'cut' | 'freeze' | 'refuse' | 'wipe'

/** The faults that a schedule draws from. */
export const SCHEDULED_FAULTS: readonly ScheduledFault[] = Object.freeze([
  'cut',
  'freeze',
  'refuse',
  'wipe',
])

/** Breaks something at each {@link strike}, and mends everything in the end. */
export class FaultSchedule {
  readonly #world: World<ScheduledFault>
  readonly #transports: readonly Transport[]
  readonly #random: Random
  #mends: Mend[] = []

  constructor(world: World<ScheduledFault>, transports: readonly Transport[]) {
    this.#world = world
    this.#transports = transports
    this.#random = world.random
  }

  /** One fault, or the end of some. */
  async strike(): Promise<void> {
    const { faults } = this.#world
    const [transport] = this.#transports.slice(Math.floor(this.#random() * this.#transports.length))
    if (transport === undefined) return
    const kind = this.#random()
    if (kind < 0.45) await faults.cut(transport)
    else if (kind < 0.7) this.#mends.push(await faults.freeze(transport))
    else if (kind < 0.8) await this.mend()
    else if (kind < 0.9) {
      const mend = await faults.refuse()
      await this.#world.until(
        () => this.#transports.every(({ status }) => status.state !== 'ready'),
        'every transport to lose its link',
      )
      await mend()
    } else await faults.wipe()
  }

  /** Ends what still lasts. */
  async mend(): Promise<void> {
    const mends = this.#mends
    this.#mends = []
    for (const mend of mends) await mend()
  }
}
