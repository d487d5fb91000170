/** One subscriber that stands still among others. */
import { arrive, numbers } from '../../case-tools/arrivals.ts'
import type { ConformanceCase } from '../../case.ts'
import { Gate } from '../../case-tools/gate.ts'

const COUNT = 200

export const oneFreezesAlone: ConformanceCase<'freeze'> = {
  id: 'F5',
  level: 'MUST',
  title:
    'a subscriber that makes no progress delays neither another one nor its neighbour in the same client',
  faults: ['freeze'],
  async run(world) {
    const frozenTransport = world.transport()
    const [sender, healthy, shared] = [world.bus(), world.bus(), world.bus()]
    const frozen = await world.collect(world.bus({ transport: frozenTransport }), 'order.created')
    const fine = await world.collect(healthy, 'order.created')
    const gate = new Gate()
    await world.soon(
      shared.subscribe('order.created', () => gate.opened),
      'to be subscribed',
    )
    const neighbour = await world.collect(shared, 'order.created')
    const mend = await world.faults.freeze(frozenTransport)
    try {
      const published = numbers(COUNT).map((n) => sender.publish('order.created', n))
      await world.all(published, 'every publish, although one subscriber is frozen')
      await arrive(world, fine, numbers(COUNT))
      await arrive(world, neighbour, numbers(COUNT))
    } finally {
      gate.open()
      await mend()
    }
    if (world.capabilities.resume) await arrive(world, frozen, numbers(COUNT))
  },
}
