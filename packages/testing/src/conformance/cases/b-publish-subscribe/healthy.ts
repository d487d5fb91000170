/** Publishing and subscribing when nothing is broken. */
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../../case.ts'

const COUNT = 100

export const everythingOnce: ConformanceCase = {
  id: 'B1',
  level: 'MUST',
  title: 'a hundred events arrive once each, with id, type, payload and metadata as published',
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    const inbox = await world.collect(receiver, 'order.created')
    const published = Array.from({ length: COUNT }, (_, n) => ({
      id: `event-${n}`,
      type: 'order.created',
      payload: { n, of: COUNT },
      metadata: { timestamp: 1_700_000_000_000 + n, source: 'shop', correlationId: `c-${n}` },
    }))
    await world.soon(Promise.all(published.map((event) => sender.publish(event))), 'the publishes')
    await inbox.count(COUNT)
    const arrived = inbox.events.toSorted((a, b) => a.metadata.timestamp - b.metadata.timestamp)
    assert.deepEqual(arrived, published)
  },
}
