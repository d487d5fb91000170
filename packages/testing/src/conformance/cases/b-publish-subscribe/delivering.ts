/** Cases about delivery while nothing is broken: every subscription receives its events, and no others. */
import assert from 'node:assert/strict'
import { type Bus, createEvent, type Event, type Subscription } from '@bus/core'
import { numbers, publishAll, publishEach } from '../../case-tools/publishing.ts'
import type { ConformanceCase } from '../../case.ts'
import type { Inbox } from '../../world/inbox.ts'
import { collectGarbage } from '../../case-tools/leaks.ts'
import type { World } from '../../world/world.ts'

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

/** Types that a careless comparison takes for each other, or for members of an object. */
const SIMILAR_TYPES = [
  'a',
  'A',
  'ab',
  'b',
  'a.b',
  'A.b',
  'a.B',
  'a.b.c',
  'b.a',
  'a_b',
  'a-b',
  '0',
  '00',
  '__proto__',
  'constructor',
  'toString',
]

const FEW = 50

export const typesApart: ConformanceCase = {
  id: 'B2',
  level: 'MUST',
  title: 'a subscriber of one type never sees another, however alike',
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    const inboxes = new Map<string, Inbox>()
    for (const type of SIMILAR_TYPES) inboxes.set(type, await world.collect(receiver, type))
    for (const type of SIMILAR_TYPES)
      await world.soon(sender.publish(type, type), `to publish ${type}`)
    await world.all(
      [...inboxes].map(([type, inbox]) => inbox.gets([type])),
      'each type to arrive where it belongs',
    )
  },
}

export const twoInOneClient: ConformanceCase = {
  id: 'B3',
  level: 'MUST',
  title: 'two subscriptions of one client get all of the same type, and only their own of others',
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    const same = [await world.collect(receiver, 'a'), await world.collect(receiver, 'a')]
    const other = await world.collect(receiver, 'b')
    await publishAll(world, sender, 'a', numbers(FEW))
    await publishAll(world, sender, 'b', ['other'])
    for (const inbox of same) await inbox.gets(numbers(FEW))
    await other.gets(['other'])
  },
}

export const ownPayloads: ConformanceCase = {
  id: 'B12',
  level: 'MUST',
  title:
    'a payload that a handler, or the publisher, changes afterwards does not change for any other',
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    const seen: unknown[] = []
    const spoil = ({ payload }: { readonly payload: unknown }): void => {
      seen.push(structuredClone(payload))
      const own = payload as { list: number[]; deep: { n?: number } }
      own.list.push(-1)
      delete own.deep.n
    }
    for (const bus of [receiver, receiver, world.bus()]) {
      await world.soon(bus.subscribe('a', spoil), 'to be subscribed')
    }
    const payload = { list: [1, 2], deep: { n: 3 } }
    const published = sender.publish('a', payload)
    payload.list = []
    payload.deep.n = 4
    await world.soon(published, 'a publish')
    await world.until(() => seen.length >= 3, 'every handler to be called')
    await world.quiet()
    const asPublished = { list: [1, 2], deep: { n: 3 } }
    assert.deepEqual(seen, [asPublished, asPublished, asPublished])
    assert.deepEqual(
      payload,
      { list: [], deep: { n: 4 } },
      'the payload of the publisher is its own',
    )
  },
}

const MANY_TYPES = 300
const PER_TYPE = 10

/** Handlers that something may still reference for a moment, such as the last that was called. */
const STRAGGLERS = 20

export const manyTypes: ConformanceCase = {
  id: 'B14',
  level: 'MUST',
  title:
    'three hundred subscriptions get three thousand events as they should, and are freed when they end',
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    await world.all([sender.connect(), receiver.connect()], 'both to connect')
    const counts = new Map<string, number>()
    const handlers: WeakRef<object>[] = []
    const subscriptions = await subscribeAll(world, receiver, counts, handlers)
    await publishEach(
      world,
      numbers(MANY_TYPES * PER_TYPE).map((n) => () => sender.publish(`many.${n % MANY_TYPES}`, n)),
    )
    const total = (): number => [...counts.values()].reduce((sum, count) => sum + count, 0)
    await world.until(() => total() >= MANY_TYPES * PER_TYPE, 'every event', total)
    await world.quiet()
    assert.deepEqual(new Set(counts.values()), new Set([PER_TYPE]), 'each type as often')
    await world.all(
      subscriptions.splice(0).map((subscription) => subscription.unsubscribe()),
      'to unsubscribe',
    )
    assert.equal(receiver.subscriptions.length, 0)
    await world.soon(sender.publish('many.0', 'late'), 'a publish')
    await world.quiet()
    assert.equal(total(), MANY_TYPES * PER_TYPE, 'nothing after the end')
    collectGarbage()
    const held = handlers.filter((handler) => handler.deref() !== undefined).length
    assert.ok(held <= STRAGGLERS, `${held} handlers of subscriptions that ended are still held`)
  },
}

/** Each handler counts the events that came to it under the type that it is for. */
async function subscribeAll(
  world: World,
  bus: Bus,
  counts: Map<string, number>,
  handlers: WeakRef<object>[],
): Promise<Subscription[]> {
  const subscribing = numbers(MANY_TYPES).map((n) => {
    const type = `many.${n}`
    const handler = (event: Event): void => {
      if (event.type === type) counts.set(type, (counts.get(type) ?? 0) + 1)
      else assert.fail(`${event.type} came to the handler of ${type}`)
    }
    handlers.push(new WeakRef(handler))
    return bus.subscribe(type, handler)
  })
  return await world.all(subscribing, 'to be subscribed')
}
