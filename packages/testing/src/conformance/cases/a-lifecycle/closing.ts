/** Closing: in every state, as often as one likes, and for good. */
import assert from 'node:assert/strict'
import { createEvent, type Transport } from '@bus/core'
import type { ConformanceCase } from '../../case.ts'
import { KeepingSink } from '../../case-tools/keeping-sink.ts'
import type { World } from '../../world/world.ts'

/** How a transport comes into a state, and what is under way then. */
const MOMENTS: Readonly<Record<string, (transport: Transport) => Promise<unknown>[]>> = {
  idle: () => [],
  connecting: (transport) => [transport.connect()],
  'with a full queue': (transport) =>
    Array.from({ length: 20 }, (_, n) => transport.publish(createEvent('a', n))),
  draining: (transport) => [transport.publish(createEvent('a', 1)), transport.drain()],
}

export const closeAnytime: ConformanceCase = {
  id: 'A4',
  level: 'MUST',
  title: 'close works in every state, together and again, and settles whatever waits',
  async run(world) {
    for (const [moment, begin] of Object.entries(MOMENTS)) {
      await closeIn(world, moment, false, begin)
      await closeIn(world, `${moment}, once ready`, true, begin)
    }
  },
}

async function closeIn(
  world: World,
  moment: string,
  isReady: boolean,
  begin: (transport: Transport) => Promise<unknown>[],
): Promise<void> {
  const transport = world.transport({ queue: { capacity: 1, strategy: 'block' } })
  if (isReady) await world.soon(transport.connect(), 'to connect')
  let ends = 0
  transport.on('status', ({ status }) => void (ends += status.state === 'closed' ? 1 : 0))
  const underWay = Promise.allSettled(begin(transport))
  const closes = [transport.close(), transport.close(), transport.close()]
  await world.all(closes, `close to resolve, ${moment}`)
  await world.soon(transport.close(), `a late close to resolve, ${moment}`)
  await world.soon(underWay, `what waits to settle, ${moment}`)
  assert.equal(transport.status.state, 'closed', moment)
  assert.ok(ends <= 1, `closed is told once, ${moment}`)
}

export const closedForGood: ConformanceCase = {
  id: 'A5',
  level: 'MUST',
  title:
    'after close every call rejects with ClosedError, iterators end, and no handler runs again',
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    const inbox = await world.collect(receiver, 'a')
    const iterator = receiver.events('a')
    const first = iterator.next()
    const apart = world.transport()
    const sink = new KeepingSink()
    await world.soon(apart.subscribe(['a'], sink).live, 'to be live')
    await world.soon(sender.publish('a', 'before'), 'a publish')
    await inbox.gets(['before'])
    assert.equal((await world.soon(first, 'the iterator to give it')).done, false)
    const next = iterator.next()

    await world.all([receiver.close(), apart.close()], 'to close')
    await world.soon(sender.publish('a', 'after'), 'a publish of the other')
    const end = await Promise.allSettled([world.soon(next, 'the iterator to end')])
    assert.ok(hasEnded(end[0]), 'an iterator ends, or rejects with ClosedError')
    const closed = { code: 'closed', outcome: 'not-sent' } as const
    await world.rejects(receiver.publish('a', 1), closed, 'publish of the bus')
    await world.rejects(
      receiver.subscribe('a', () => {}),
      { code: 'closed' },
      'subscribe',
    )
    await world.rejects(receiver.connect(), { code: 'closed' }, 'connect of the bus')
    await world.rejects(apart.publish(createEvent('a', 1)), closed, 'publish')
    await world.rejects(apart.connect(), { code: 'closed' }, 'connect')
    assert.doesNotThrow(() => apart.emit(createEvent('a', 1)))
    assert.deepEqual(await world.soon(apart.drain(), 'drain'), { unsent: [], unhandled: 0 })
    await inbox.gets(['before'])
    assert.deepEqual(sink.payloads, ['before'], 'no sink is called again')
  },
}

function hasEnded(result: PromiseSettledResult<IteratorResult<unknown>>): boolean {
  if (result.status === 'fulfilled') return result.value.done === true
  return (result.reason as { code?: string }).code === 'closed'
}
