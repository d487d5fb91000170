/** Publishing what nobody wants. */
import assert from 'node:assert/strict'
import { numbers } from '../../case-tools/arrivals.ts'
import type { ConformanceCase } from '../../case.ts'

const COUNT = 50

export const nobodyListens: ConformanceCase = {
  id: 'E6',
  level: 'MUST',
  title: 'publishing succeeds without any subscriber, and leaves nothing behind',
  async run(world) {
    const sender = world.bus()
    const published = numbers(COUNT).map((n) => sender.publish('order.created', n))
    const receipts = await world.all(published, 'every publish to succeed')
    const expected = world.capabilities.publishConfirm ? 'confirmed' : 'sent'
    for (const { status } of receipts) {
      assert.ok(status === expected || status === 'confirmed', `the receipt says ${expected}`)
    }
    assert.equal(sender.backpressureStats().size, 0, 'nothing waits any more')
    assert.equal(sender.deadLetters?.size ?? 0, 0, 'what nobody wants is no dead letter')
    const late = await world.collect(world.bus(), 'order.created')
    await world.quiet()
    assert.deepEqual(late.payloads, [], 'who comes later gets what is published later')
  },
}
