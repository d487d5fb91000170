/** Publishing and subscribing when nothing is broken. */
import assert from 'node:assert/strict'
import { createEvent } from '@bus/core'
import { numbers } from '../../case-tools/arrivals.ts'
import { publishAll, publishEach } from '../../case-tools/batches.ts'
import type { ConformanceCase } from '../../case.ts'

const COUNT = 100
const CLIENTS = 5
const REPETITIONS = 100

export const everythingOnce: ConformanceCase = {
  id: 'B1',
  level: 'MUST',
  title: 'a hundred events arrive once each, with id, type, payload and metadata as published',
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    const inbox = await world.collect(receiver, 'order.created')
    const published = numbers(COUNT).map((n) =>
      createEvent(
        'order.created',
        { n, of: COUNT },
        {
          id: `event-${n}`,
          timestamp: 1.7e12 + n,
          source: 'shop',
          correlationId: `c-${n}`,
          traceparent: `00-${n}`,
        },
      ),
    )
    await publishEach(
      world,
      published.map((event) => () => sender.publish(event)),
    )
    await inbox.count(COUNT)
    const arrived = inbox.events.toSorted((a, b) => a.metadata.timestamp - b.metadata.timestamp)
    assert.deepEqual(arrived, published)
    assert.ok(inbox.events.every(isFrozen), 'the envelope of every event is frozen')
  },
}

function isFrozen(event: { readonly metadata: object }): boolean {
  return Object.isFrozen(event) && Object.isFrozen(event.metadata)
}

export const fanOut: ConformanceCase = {
  id: 'B4',
  level: 'MUST',
  title: 'every client that subscribed receives every event',
  async run(world) {
    const sender = world.bus()
    const inboxes = await Promise.all(
      numbers(CLIENTS).map(() => world.collect(world.bus(), 'order.created')),
    )
    await publishAll(world, sender, 'order.created', numbers(COUNT))
    await world.all(
      inboxes.map((inbox) => inbox.gets(numbers(COUNT))),
      'every client to receive every event',
    )
  },
}

export const echo: ConformanceCase = {
  id: 'B5',
  level: 'MUST',
  title: 'a publisher receives its own events if, and only if, the transport says so (echo)',
  async run(world) {
    const [one, two] = [world.bus(), world.bus()]
    const own = await world.collect(one, 'a')
    const others = await world.collect(two, 'a')
    await publishAll(world, one, 'a', numbers(COUNT))
    await others.gets(numbers(COUNT))
    await own.gets(world.capabilities.echo ? numbers(COUNT) : [])
  },
}

export const liveWhenSubscribed: ConformanceCase = {
  id: 'B8',
  level: 'MUST',
  title: 'once subscribe has resolved, what another client publishes right away is received',
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    await world.all([sender.connect(), receiver.connect()], 'both to connect')
    for (const n of numbers(REPETITIONS)) {
      const types: string[] = []
      const subscription = await world.soon(
        receiver.subscribe(`live.${n}`, ({ type }) => void types.push(type)),
        'to be subscribed',
      )
      await world.soon(sender.publish(`live.${n}`, n), 'a publish')
      await world.until(() => types.length > 0, `the event of repetition ${n}`)
      await world.soon(subscription.unsubscribe(), 'to unsubscribe')
    }
  },
}
