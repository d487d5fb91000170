/** Cases about the consumers of a bus whose transport ends, or that is closed. */
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../../case.ts'

export const consumersEnd: ConformanceCase = {
  id: 'A11',
  level: 'MUST',
  title: 'a transport that is over ends its consumers: subscriptions, iterators and streams fail',
  async run(world) {
    const transport = world.transport()
    const bus = world.bus({ transport })
    const subscription = await world.soon(
      bus.subscribe('a', () => {}),
      'to subscribe',
    )
    const loop = (async () => {
      for await (const event of bus.events('a')) void event
    })()
    const readable = bus.toReadable('a').resume()
    const failed = new Promise<Error>((resolve) => readable.once('error', resolve))
    const over = { code: 'closed' } as const
    const ends = [world.rejects(loop, over, 'the iteration')]
    ends.push(world.rejects(subscription.closed, over, '`closed`'))
    await world.until(() => bus.subscriptions.length === 3, 'three subscriptions')
    await world.quiet()
    await world.soon(transport.close(), 'to close the transport')
    await world.all(ends, 'the consumers to end')
    assert.equal((await world.soon(failed, 'the stream to fail')).name, 'ClosedError')
    assert.deepEqual(bus.subscriptions, [], 'no subscription is called live')
  },
}

export const closeIsNoDrain: ConformanceCase = {
  id: 'A12',
  level: 'MUST',
  title:
    'close waits for no handler: what waits becomes a dead letter, and the one that runs is aborted',
  async run(world) {
    const bus = world.bus()
    let signal: AbortSignal | undefined
    await world.soon(
      bus.subscribe('a', (_event, context) => {
        signal = context.signal
        return new Promise<void>(() => {})
      }),
      'to subscribe',
    )
    const sender = world.bus()
    await world.all(
      [1, 2, 3].map((n) => sender.publish('a', n)),
      'the publishes',
    )
    const [subscription] = bus.subscriptions
    await world.until(() => subscription?.stats().queue.size === 2, 'two to wait')
    await world.soon(bus.close(), 'to close')
    assert.equal(signal?.aborted, true, 'the handler that runs is aborted')
    const letters = bus.deadLetters?.list().map(({ reason, event }) => [reason, event?.payload])
    assert.deepEqual(letters, [
      ['closed', 2],
      ['closed', 3],
    ])
  },
}
