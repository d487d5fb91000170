/** Waiting until nothing moves any more. */
import type { World } from '../../world/world.ts'

/** In which nothing moves: one alone may be a stall of the machine. */
const QUIET_PERIODS = 3

/** The figure, once it is above zero and has not changed during several quiet periods. */
export async function standstill(world: World, figure: () => Promise<number>): Promise<number> {
  let last = 0
  for (let same = 0; same < QUIET_PERIODS;) {
    const now = await figure()
    same = now === last && now > 0 ? same + 1 : 0
    last = now
    await world.quiet()
  }
  return last
}
