/** The end of a subscription. */
import { numbers } from '../../case-tools/arrivals.ts'
import { publishAll } from '../../case-tools/batches.ts'
import type { ConformanceCase } from '../../case.ts'
import { KeepingSink } from '../../case-tools/keeping-sink.ts'
import assert from 'node:assert/strict'

const COUNT = 50

export const unsubscribing: ConformanceCase = {
  id: 'B6',
  level: 'MUST',
  title: 'unsubscribe stops delivery for that subscription alone, and subscribing again works',
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    const gone = await world.collect(receiver, 'a')
    const stays = await world.collect(receiver, 'a')
    await publishAll(world, sender, 'a', numbers(COUNT))
    await gone.gets(numbers(COUNT))
    await stays.gets(numbers(COUNT))

    await world.soon(receiver.unsubscribe(gone.subscription), 'to unsubscribe')
    await world.soon(gone.subscription.unsubscribe(), 'to unsubscribe again')
    await world.soon(gone.subscription.closed, 'the subscription to be closed')
    await world.rejects(
      receiver.unsubscribe(gone.subscription.id),
      { code: 'unknown-subscription' },
      'unsubscribe by an id that is gone',
    )
    await publishAll(world, sender, 'a', numbers(COUNT, COUNT))
    await stays.gets(numbers(2 * COUNT))
    await gone.gets(numbers(COUNT))

    const again = await world.collect(receiver, 'a')
    await publishAll(world, sender, 'a', ['again'])
    await again.gets(['again'])
    await stays.gets([...numbers(2 * COUNT), 'again'])
    await gone.gets(numbers(COUNT))
    await unsubscribesAtOnce(world)
  },
}

/** Between the call and its end nothing more comes to the sink of a feed. */
async function unsubscribesAtOnce(world: Parameters<ConformanceCase['run']>[0]): Promise<void> {
  const [sender, transport] = [world.bus(), world.transport()]
  const sink = new KeepingSink()
  const feed = transport.subscribe(['b'], sink)
  await world.soon(feed.live, 'to be live')
  const published = publishAll(world, sender, 'b', numbers(COUNT))
  const ended = [feed.unsubscribe(), feed.unsubscribe()]
  const arrived = sink.events.length
  await world.all(ended, 'to unsubscribe')
  await published
  await world.quiet()
  assert.equal(sink.events.length, arrived, 'nothing comes after the call of unsubscribe')
}
