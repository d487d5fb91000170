/** Each subscription gets what it asked for, and nothing else. */
import assert from 'node:assert/strict'
import { numbers } from '../../case-tools/arrivals.ts'
import { publishAll } from '../../case-tools/batches.ts'
import type { ConformanceCase } from '../../case.ts'
import type { Inbox } from '../../world/inbox.ts'

/** Types that a careless comparison takes for each other, or for members of an object. */
const TYPES = [
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

const COUNT = 50

export const typesApart: ConformanceCase = {
  id: 'B2',
  level: 'MUST',
  title: 'a subscriber of one type never sees another, however alike',
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    const inboxes = new Map<string, Inbox>()
    for (const type of TYPES) inboxes.set(type, await world.collect(receiver, type))
    for (const type of TYPES) await world.soon(sender.publish(type, type), `to publish ${type}`)
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
    await publishAll(world, sender, 'a', numbers(COUNT))
    await publishAll(world, sender, 'b', ['other'])
    for (const inbox of same) await inbox.gets(numbers(COUNT))
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
    assert.deepEqual(payload, { list: [], deep: { n: 4 } }, 'what the publisher holds is its own')
  },
}
