/** A peer that stops reading. */
import assert from 'node:assert/strict'
import { numbers } from '../../case-tools/arrivals.ts'
import type { ConformanceCase } from '../../case.ts'
import { BLOCKS } from '../../claims.ts'

/** 20 MB in all: more than the sockets of a machine take on the way. */
const COUNT = 160
const FILLING = 'x'.repeat(131_072)
const CAPACITY = 20

export const peerStopsReading: ConformanceCase<'freeze'> = {
  id: 'F7',
  level: 'MUST',
  title:
    'when the medium stops reading publishers wait, what is kept is bounded, and all continues later',
  needs: BLOCKS,
  faults: ['freeze'],
  limitMs: 60_000,
  async run(world) {
    const transport = world.transport({ queue: { capacity: CAPACITY, strategy: 'block' } })
    const [sender, receiver] = [world.bus({ transport }), world.bus()]
    const got: number[] = []
    const keepNumber = ({ payload }: { readonly payload: unknown }): void => {
      got.push((payload as { n: number }).n)
    }
    await world.soon(receiver.subscribe('order.created', keepNumber), 'to be subscribed')
    await world.soon(sender.connect(), 'to connect')
    const mend = await world.faults.freeze(transport)
    let settled = 0
    const published = numbers(COUNT).map(async (n) => {
      await sender.publish('order.created', { n, FILLING })
      settled++
    })
    const all = Promise.all(published)
    await world.quiet()
    await world.quiet()
    const { size, capacity, waiting } = sender.backpressureStats()
    assert.ok(size <= capacity, `the queue holds ${size} of ${capacity}`)
    assert.ok(settled < COUNT, 'not every publish succeeds while the medium reads nothing')
    assert.ok(size + waiting > 0, 'the publishers wait')
    await mend()
    await all
    await world.until(
      () => got.length >= COUNT,
      'everything to arrive',
      () => got.length,
    )
    await world.quiet()
    const inOrder = world.capabilities.ordering === 'none' ? got.toSorted((a, b) => a - b) : got
    assert.deepEqual(inOrder, numbers(COUNT))
  },
}
