/** Events whose handler has not ended when the link breaks. */
import assert from 'node:assert/strict'
import { numbers } from '../../case-tools/arrivals.ts'
import { publishAll } from '../../case-tools/batches.ts'
import type { ConformanceCase } from '../../case.ts'
import { RECONNECTS } from '../../claims.ts'
import { Gate } from '../../case-tools/gate.ts'
import { relinked } from '../../case-tools/relinking.ts'

const COUNT = 20

export const unsettledSurvives: ConformanceCase<'cut'> = {
  id: 'D5',
  level: 'MUST',
  title: 'events that wait for their handler while connections break are handled, once each',
  needs: RECONNECTS,
  faults: ['cut'],
  async run(world) {
    const transport = world.transport()
    const [sender, receiver] = [world.bus(), world.bus({ transport })]
    const gate = new Gate()
    const handled: unknown[] = []
    const subscription = await world.soon(
      receiver.subscribe('a', async ({ payload }) => {
        await gate.opened
        handled.push(payload)
      }),
      'to be subscribed',
    )
    await publishAll(world, sender, 'a', numbers(COUNT))
    const waiting = (): number => {
      const { queue, active } = subscription.stats()
      return queue.size + active
    }
    await world.until(() => waiting() >= COUNT, 'every event to wait for the handler', waiting)
    for (let cut = 0; cut < 3; cut++) {
      await relinked(world, transport, () => world.faults.cut(transport))
    }
    gate.open()
    await world.until(() => handled.length >= COUNT, 'every event to be handled')
    await world.quiet()
    assert.deepEqual(handled, numbers(COUNT))
  },
}
