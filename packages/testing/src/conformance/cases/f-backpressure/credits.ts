/** How much comes to somebody who handles nothing. */
import assert from 'node:assert/strict'
import { numbers } from '../../case-tools/arrivals.ts'
import type { ConformanceCase } from '../../case.ts'
import { HOLDS_READING } from '../../claims.ts'
import { standstill } from './standstill.ts'

const COUNT = 800
/** So that neither sockets nor queues take all of it on the way. */
const FILLING = 'x'.repeat(4_096)
const CAPACITY = 20

export const staysWithinCredit: ConformanceCase = {
  id: 'F6',
  level: 'MUST',
  title:
    'a subscriber that handles nothing gets no more than was granted, stays connected, and continues later',
  needs: HOLDS_READING,
  limitMs: 40_000,
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    const inbox = await world.collect(receiver, 'order.created', { queue: { capacity: CAPACITY } })
    inbox.subscription.pause()
    const published = Promise.all(
      numbers(COUNT).map((n) => sender.publish('order.created', { n, FILLING })),
    )
    const { id } = inbox.subscription
    const taken = async (): Promise<number> => {
      const { subscriptions } = await receiver.health()
      return subscriptions.find((one) => one.id === id)?.queued ?? 0
    }
    const most = await standstill(world, taken)
    assert.ok(most < COUNT, `all ${most} events came to a subscription that handles nothing`)
    assert.ok(most > 0, 'something came before the credit was used up')
    if (world.capabilities.backpressure.inbound === 'credits') {
      const health = await world.soon(receiver.health({ probe: true }), 'an answer to a probe')
      assert.equal(health.status, 'up', `its link lives: ${health.reasons.join()}`)
    }
    assert.deepEqual(inbox.payloads, [], 'nothing is handled while the subscription is paused')
    inbox.subscription.resume()
    await inbox.count(COUNT)
    const got = inbox.payloads.map((payload) => (payload as { n: number }).n)
    const inOrder = world.capabilities.ordering === 'none' ? got.toSorted((a, b) => a - b) : got
    assert.deepEqual(inOrder, numbers(COUNT))
    await world.soon(published, 'every publish to be settled')
  },
}
