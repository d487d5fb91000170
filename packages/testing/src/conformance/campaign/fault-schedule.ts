/** A random schedule of faults for a campaign. */
import type { Random, Transport } from '@bus/core'
import type { EndFault } from '../medium.ts'
import type { World } from '../world/world.ts'

/** What a schedule needs of the medium. */
export type ScheduledFault = 'cut' | 'freeze' | 'refuse' | 'wipe'

/** The faults that a schedule draws from. */
export const SCHEDULED_FAULTS: readonly ScheduledFault[] = Object.freeze([
  'cut',
  'freeze',
  'refuse',
  'wipe',
])

/** Worth another try. */
const GOING_AWAY = 1001

/** Breaks something at each {@link strike}, and heals everything in the end. */
export class FaultSchedule {
  readonly #world: World<ScheduledFault>
  readonly #transports: readonly Transport[]
  readonly #random: Random
  #heals: EndFault[] = []

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
    if (this.#random() < 0.3) {
      await this.#trick(transport)
      return
    }
    const kind = this.#random()
    if (kind < 0.45) await faults.cut(transport)
    else if (kind < 0.7) this.#heals.push(await faults.freeze(transport))
    else if (kind < 0.8) await this.heal()
    else if (kind < 0.9) {
      const heal = await faults.refuse()
      await this.#world.until(
        () => this.#transports.every(({ status }) => status.state !== 'ready'),
        'every transport to lose its link',
      )
      await heal()
    } else await faults.wipe()
  }

  /** Something finer, if the medium knows how; otherwise a cut. */
  async #trick(transport: Transport): Promise<void> {
    const { otherFaults, faults } = this.#world
    const kind = this.#random()
    if (kind < 0.3 && otherFaults.close) await otherFaults.close(transport, GOING_AWAY)
    else if (kind < 0.6 && otherFaults.duplicateNext) await otherFaults.duplicateNext(transport)
    else if (otherFaults.loseConfirmation) await otherFaults.loseConfirmation(transport)
    else await faults.cut(transport)
  }

  /** Ends what still lasts. */
  async heal(): Promise<void> {
    const heals = this.#heals
    this.#heals = []
    for (const heal of heals) await heal()
  }
}
