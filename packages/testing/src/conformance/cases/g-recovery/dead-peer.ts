/** A link that looks alive and is not. */
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { arrive } from '../../case-tools/arrivals.ts'
import type { ConformanceCase } from '../../case.ts'
import { RECONNECTS } from '../../claims.ts'
import { impatientTransport } from '../../world/impatience.ts'

/** Milliseconds of the transport's clock after which a link on which nothing passes is given up. */
const MOST_MS = 120_000
const STEP_MS = 500

export const deadPeerIsFound: ConformanceCase<'freeze'> = {
  id: 'G6',
  level: 'MUST',
  title:
    'a connection on which nothing arrives is dropped within two minutes, and another one made',
  needs: RECONNECTS,
  faults: ['freeze'],
  async run(world) {
    const { transport, clock, hurry } = impatientTransport(world)
    const [sender, receiver] = [world.bus(), world.bus({ transport })]
    const inbox = await world.collect(receiver, 'order.created')
    const mend = await world.faults.freeze(transport)
    const frozenAt = clock.now()
    const ends: number[] = []
    transport.on('close', ({ code }) => ends.push(code))
    while (ends.length === 0 && clock.now() - frozenAt < MOST_MS) {
      await clock.advanceAsync(STEP_MS)
      await turn()
    }
    assert.ok(ends.length > 0, `after ${MOST_MS} ms a dead link is still taken for sound`)
    hurry()
    await world.until(
      () => transport.status.state === 'ready',
      'another link',
      () => transport.status,
    )
    await mend()
    await world.soon(sender.publish('order.created', 1), 'a publish')
    await arrive(world, inbox, [1])
  },
}
