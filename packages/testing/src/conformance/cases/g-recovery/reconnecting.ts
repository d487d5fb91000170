/** A link that is torn comes back, with everything that was subscribed. */
import { arrive, numbers } from '../../case-tools/arrivals.ts'
import type { ConformanceCase } from '../../case.ts'
import { RECONNECTS } from '../../claims.ts'
import { relinked } from '../../case-tools/relinking.ts'

const ROUNDS = 4

export const subscriptionsLiveOn: ConformanceCase<'cut'> = {
  id: 'G1',
  level: 'MUST',
  title: 'a broken connection is made again by itself, with every subscription, each once',
  needs: RECONNECTS,
  faults: ['cut'],
  async run(world) {
    const transport = world.transport()
    const [sender, receiver] = [world.bus(), world.bus({ transport })]
    const one = await world.collect(receiver, 'order.created')
    const other = await world.collect(receiver, ['order.>', 'stock.low'])
    for (const n of numbers(ROUNDS)) {
      await relinked(world, transport, () => world.faults.cut(transport))
      await world.soon(sender.publish('order.created', n), 'a publish')
      await world.until(
        () => one.events.length > n && other.events.length > n,
        `both subscriptions to get an event after break ${n + 1}`,
        () => [one.payloads, other.payloads],
      )
    }
    await arrive(world, one, numbers(ROUNDS))
    await arrive(world, other, numbers(ROUNDS))
  },
}
