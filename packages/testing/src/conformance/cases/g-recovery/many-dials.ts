/** A server that is away for a long time. */
import assert from 'node:assert/strict'
import { arrive } from '../../case-tools/arrivals.ts'
import type { ConformanceCase } from '../../case.ts'
import { RECONNECTS } from '../../claims.ts'
import { collectGarbage } from '../../case-tools/garbage.ts'
import { impatientTransport } from '../../world/impatience.ts'

const DIALS = 600
/** Bytes that may be left of one failed dial, on average. What one forgotten socket or listener takes is more. */
const MOST_BYTES = 3_000

export const dialsLeaveNothing: ConformanceCase<'refuse'> = {
  id: 'G8',
  level: 'MUST',
  title: 'hundreds of failed dials leave nothing behind, and the next one may succeed',
  needs: RECONNECTS,
  faults: ['refuse'],
  limitMs: 120_000,
  async run(world) {
    const { transport, hurry } = impatientTransport(world)
    const [sender, receiver] = [world.bus(), world.bus({ transport })]
    const inbox = await world.collect(receiver, 'order.created')
    const mend = await world.faults.refuse()
    let failed = 0
    transport.on('status', ({ status }) => {
      if (status.state === 'backoff') failed++
    })
    hurry()
    const failedTimes = (count: number): Promise<void> =>
      world.untilDone(
        () => failed >= count,
        () => failed,
        `${count} dials to fail`,
      )
    const dials = Math.ceil(DIALS * world.effort)
    await failedTimes(Math.ceil(dials / 3))
    collectGarbage()
    const before = { ...process.memoryUsage(), failed }
    await failedTimes(dials)
    collectGarbage()
    const { heapUsed } = process.memoryUsage()
    const perDial = Math.round((heapUsed - before.heapUsed) / (failed - before.failed))
    assert.ok(perDial < MOST_BYTES, `${perDial} bytes are left of each dial`)
    await mend()
    await world.until(
      () => transport.status.state === 'ready',
      'a link',
      () => transport.status,
    )
    await world.soon(sender.publish('order.created', 1), 'a publish')
    await arrive(world, inbox, [1])
  },
}
