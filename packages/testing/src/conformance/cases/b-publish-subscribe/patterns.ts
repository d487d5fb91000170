/** Cases about patterns: which types each matches, and that overlapping ones deliver once. */
import assert from 'node:assert/strict'
import { createEvent } from '@bus/core'
import { type ConformanceCase, WILDCARDS } from '../../case.ts'
import type { Inbox } from '../../world/inbox.ts'
import { KeepingSink } from '../../case-tools/receiving.ts'
import type { World } from '../../world/world.ts'

/** Each pattern, and which of the types it matches. */
const TABLE: Readonly<Record<string, readonly string[]>> = {
  a: ['a'],
  'a.b': ['a.b'],
  'a.*': ['a.b', 'a.c', 'a.B', 'a.__proto__'],
  'a.>': ['a.b', 'a.c', 'a.B', 'a.__proto__', 'a.b.c', 'a.b.c.d'],
  'a.b.>': ['a.b.c', 'a.b.c.d'],
  'a.*.c': ['a.b.c'],
  'a.*.>': ['a.b.c', 'a.b.c.d'],
  '*': ['a', 'b'],
  '*.b': ['a.b', 'b.b', 'A.b'],
  '*.*': ['a.b', 'a.c', 'a.B', 'a.__proto__', 'b.b', 'A.b'],
  '*.*.c': ['a.b.c'],
  '*.>': ['a.b', 'a.c', 'a.B', 'a.__proto__', 'b.b', 'A.b', 'a.b.c', 'a.b.c.d'],
  'c.>': [],
  'b.*.c': [],
}
const TYPES = ['a', 'b', ...(TABLE['*.>'] ?? [])]

export const patterns: ConformanceCase = {
  id: 'B9',
  level: 'MUST',
  title: 'patterns match by tokens, and overlapping ones deliver once per subscription',
  needs: WILDCARDS,
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    const expected = new Map([...Object.entries(TABLE), ['>', TYPES] as const])
    const inboxes = await Promise.all(
      [...expected.keys()].map(
        async (pattern) => [pattern, await world.collect(receiver, pattern)] as const,
      ),
    )
    const all = await world.collect(receiver, [])
    const overlapping = await world.collect(receiver, ['a.b', 'a.*', 'a.>', '*.b', 'a.b'])
    const publishes = TYPES.map((type) => sender.publish(type, type))
    await world.all(publishes, 'the publishes')
    await all.gets(TYPES)
    for (const [pattern, inbox] of inboxes) {
      assert.deepEqual(typesIn(inbox), expected.get(pattern)?.toSorted(), pattern)
    }
    const union = TYPES.filter((type) => type.startsWith('a.') || type.endsWith('.b'))
    assert.deepEqual(typesIn(overlapping), union.toSorted(), 'once, though two match')
    await overlapsInOneFeed(world)
  },
}

function typesIn({ events }: Inbox): string[] {
  return events.map(({ type }) => type).toSorted()
}

/** The same without a bus, which removes equal patterns. */
async function overlapsInOneFeed(world: World): Promise<void> {
  const [sender, transport] = [world.transport(), world.transport()]
  const sink = new KeepingSink()
  const feed = transport.subscribe(['x.*', 'x.>', 'x.y', 'x.y'], sink)
  await world.soon(feed.live, 'to be live')
  await world.soon(sender.publish(createEvent('x.y', 1)), 'a publish')
  await world.until(() => sink.events.length > 0, 'the event')
  await world.quiet()
  assert.deepEqual(sink.payloads, [1])
}
