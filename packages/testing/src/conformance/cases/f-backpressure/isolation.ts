/** Cases about what a slow subscriber or much data must not delay: other subscribers, acknowledgements, closing. */
import assert from 'node:assert/strict'
import { arrive, numbers } from '../../case-tools/publishing.ts'
import type { ConformanceCase } from '../../case.ts'
import { Latch } from '../../case-tools/receiving.ts'
import type { World } from '../../world/world.ts'

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
    const latch = new Latch()
    await world.soon(
      shared.subscribe('order.created', () => latch.opened),
      'to be subscribed',
    )
    const neighbour = await world.collect(shared, 'order.created')
    const heal = await world.faults.freeze(frozenTransport)
    try {
      const published = numbers(COUNT).map((n) => sender.publish('order.created', n))
      await world.all(published, 'every publish, although one subscriber is frozen')
      await arrive(world, fine, numbers(COUNT))
      await arrive(world, neighbour, numbers(COUNT))
    } finally {
      latch.open()
      await heal()
    }
    if (world.capabilities.resume) await arrive(world, frozen, numbers(COUNT))
  },
}

const FLOOD = 1_000
const CAPACITY = 10

export const urgentAmongData: ConformanceCase = {
  id: 'F8',
  level: 'MUST',
  title: 'acknowledgements, unsubscribing and closing are not stuck behind data',
  limitMs: 40_000,
  async run(world) {
    await bothWays(world)
    await behindAHeldSubscription(world)
  },
}

/** Two clients flood each other through small queues: whose acknowledgements wait behind data stands still. */
async function bothWays(world: World): Promise<void> {
  const queue = { capacity: CAPACITY }
  const buses = [world.bus({ queue }), world.bus({ queue })] as const
  const inboxes = [
    await world.collect(buses[0], 'from.1', { queue }),
    await world.collect(buses[1], 'from.0', { queue }),
  ] as const
  const published = buses.flatMap((bus, from) =>
    numbers(FLOOD).map((n) => bus.publish(`from.${from}`, n)),
  )
  await world.all(published, 'both to send everything')
  for (const inbox of inboxes) await arrive(world, inbox, numbers(FLOOD))
}

async function behindAHeldSubscription(world: World): Promise<void> {
  const [sender, receiver] = [world.bus(), world.bus()]
  const held = await world.collect(receiver, 'order.created', { queue: { capacity: CAPACITY } })
  held.subscription.pause()
  const published = numbers(FLOOD).map((n) => sender.publish('order.created', n))
  const settled = Promise.allSettled(published)
  await world.until(
    () => held.subscription.stats().queue.size >= CAPACITY,
    'the subscription to be full',
  )
  await world.soon(held.subscription.unsubscribe(), 'to be unsubscribed, with much waiting')
  const other = await world.collect(receiver, 'order.paid')
  await world.soon(settled, 'every publish to be settled')
  await world.soon(sender.publish('order.paid', 1), 'another publish')
  await arrive(world, other, [1])
  assert.deepEqual(held.payloads, [], 'nothing is handled after unsubscribing')
  const flood = numbers(FLOOD).map((n) => sender.publish('order.created', n))
  const closed = Promise.allSettled(flood)
  await world.soon(sender.close(), 'to close in the middle of much that is to be sent')
  await world.soon(closed, 'every publish to be settled by then')
}
