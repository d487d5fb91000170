/** What a publish that ended says: a success is a promise, a failure is precise. */
import assert from 'node:assert/strict'
import { BusError } from '@bus/core'
import { arrive, numbers } from '../../case-tools/arrivals.ts'
import type { ConformanceCase } from '../../case.ts'
import { CONFIRMS } from '../../claims.ts'
import type { World } from '../../world/world.ts'

const COUNT = 200

export const confirmedArrives: ConformanceCase = {
  id: 'E1',
  level: 'MUST',
  title: 'what is confirmed is received, and what is refused says why and whether to try again',
  needs: CONFIRMS,
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    const inbox = await world.collect(receiver, 'order.created')
    const published = numbers(COUNT).map((n) =>
      sender.publish('order.created', n, { metadata: { id: `event-${n}` } }),
    )
    const receipts = await world.all(published, 'every publish to be confirmed')
    for (const [n, receipt] of receipts.entries()) {
      assert.equal(receipt.id, `event-${n}`, 'the receipt names the event')
      assert.equal(receipt.status, 'confirmed', 'a transport that confirms says so')
      assert.ok(receipt.attempts >= 1, 'what was confirmed was written at least once')
    }
    await arrive(world, inbox, numbers(COUNT))
    await refusesPrecisely(world)
  },
}

async function refusesPrecisely(world: World): Promise<void> {
  const bus = world.bus()
  await world.soon(bus.connect(), 'to connect')
  const unwritable = await failureOf(world, bus.publish('order.created', 1n))
  assert.equal(unwritable.code, 'serialization')
  assert.equal(unwritable.retryable, false, 'what cannot be written can never be written')
  assert.equal(unwritable.outcome, 'not-sent')
  const aborted = await failureOf(
    world,
    bus.publish('order.created', 1, { signal: AbortSignal.abort('enough') }),
  )
  assert.equal(aborted.code, 'aborted')
  assert.equal(aborted.outcome, 'not-sent')
  await world.soon(bus.close(), 'to close')
  const closed = await failureOf(world, bus.publish('order.created', 1))
  assert.equal(closed.code, 'closed')
  assert.equal(closed.retryable, false, 'what is closed stays closed')
  assert.equal(closed.outcome, 'not-sent')
}

/** The error with which the publish rejects. */
async function failureOf(world: World, publishing: Promise<unknown>): Promise<BusError> {
  const settled = publishing.then(
    () => assert.fail('The publish succeeded'),
    (error: unknown) => error,
  )
  const error = await world.soon(settled, 'the publish to be refused')
  assert.ok(error instanceof BusError, `a refusal is a BusError, not ${String(error)}`)
  return error
}
