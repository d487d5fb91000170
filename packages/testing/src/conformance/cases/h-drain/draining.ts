/** A drain that has the time it needs. */
import assert from 'node:assert/strict'
import { arrive, numbers } from '../../case-tools/arrivals.ts'
import type { ConformanceCase } from '../../case.ts'
import { Gate } from '../../case-tools/gate.ts'
import { received } from './received.ts'

const COUNT = 300
const HANDLED = 50

export const nothingIsLost: ConformanceCase = {
  id: 'H1',
  level: 'MUST',
  title: 'a drain sends what was accepted and lets handlers finish, loses nothing, and closes',
  async run(world) {
    const [sender, receiver] = [world.bus({ queue: { capacity: 20 } }), world.bus()]
    const inbox = await world.collect(receiver, 'order.created')
    const published = Promise.all(numbers(COUNT).map((n) => sender.publish('order.created', n)))
    const report = await world.soon(sender.drain(), 'the publisher to drain')
    assert.deepEqual(report, { unsent: [], unhandled: 0 })
    await world.soon(published, 'every publish to have succeeded')
    await arrive(world, inbox, numbers(COUNT))
    assert.equal(sender.status.state, 'closed')
    await assert.rejects(sender.publish('order.created', 1), {
      code: 'closed',
      outcome: 'not-sent',
    })
    assert.deepEqual(await sender.drain(), report, 'a second drain says the same')
  },
}

export const publishesFromHandlers: ConformanceCase = {
  id: 'H3',
  level: 'MUST',
  title: 'while it drains handlers finish and may still publish, and other callers may not',
  async run(world) {
    const [sender, between, receiver] = [world.bus(), world.bus(), world.bus()]
    const results = await world.collect(receiver, 'order.paid')
    const gate = new Gate()
    let handled = 0
    const subscription = await world.soon(
      between.subscribe('order.created', async ({ payload }) => {
        await gate.opened
        await between.publish('order.paid', payload)
        handled++
      }),
      'to be subscribed',
    )
    for (const n of numbers(HANDLED)) {
      await world.soon(sender.publish('order.created', n), 'a publish')
    }
    await received(world, subscription, HANDLED)
    const draining = between.drain()
    await assert.rejects(between.publish('order.paid', -1), {
      code: 'draining',
      outcome: 'not-sent',
    })
    await assert.rejects(
      between.subscribe('order.paid', () => {}),
      { code: 'draining' },
    )
    gate.open()
    assert.deepEqual(await world.soon(draining, 'the drain'), { unsent: [], unhandled: 0 })
    assert.equal(handled, HANDLED, 'every handler has finished')
    await arrive(world, results, numbers(HANDLED))
  },
}
