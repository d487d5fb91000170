/** A drain that runs out of time says what it left. */
import assert from 'node:assert/strict'
import { arrive, numbers } from '../../case-tools/arrivals.ts'
import type { ConformanceCase } from '../../case.ts'
import { RECONNECTS } from '../../claims.ts'
import { received } from './received.ts'

const COUNT = 5
/** Milliseconds: over before the link is back or the handler has ended. */
const SHORT_MS = 60

export const abandonedIsTold: ConformanceCase = {
  id: 'H2',
  level: 'MUST',
  title: 'a drain that runs out of time aborts its handlers and reports what it left',
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    const signals: AbortSignal[] = []
    const subscription = await world.soon(
      receiver.subscribe('order.created', (_event, { signal }) => {
        signals.push(signal)
        return new Promise(() => {})
      }),
      'to be subscribed',
    )
    for (const n of numbers(COUNT)) {
      await world.soon(sender.publish('order.created', n), 'a publish')
    }
    await received(world, subscription, COUNT)
    const letters = receiver.deadLetters
    const report = await world.soon(receiver.drain({ timeoutMs: SHORT_MS }), 'the drain to end')
    assert.deepEqual(report, { unsent: [], unhandled: COUNT })
    assert.ok(signals.length > 0, 'a handler was running')
    assert.ok(
      signals.every(({ aborted }) => aborted),
      'whoever still runs is told to stop',
    )
    assert.equal(receiver.status.state, 'closed')
    // That which a handler has begun is the handler's own: it may still end, one way or the other.
    const waiting = COUNT - signals.length
    const reasons = letters?.list().map(({ reason }) => reason) ?? []
    assert.deepEqual(reasons, Array(waiting).fill('closed'), 'what waited is a dead letter')
  },
}

export const drainsWithoutLink: ConformanceCase<'refuse'> = {
  id: 'H4',
  level: 'MUST',
  title:
    'a drain without a connection waits for one as long as it may, then reports what was not sent',
  needs: RECONNECTS,
  faults: ['refuse'],
  async run(world) {
    const transports = [world.transport(), world.transport()] as const
    const [patient, hasty] = transports.map((transport) => world.bus({ transport }))
    assert.ok(patient && hasty)
    const receiver = world.bus()
    const inbox = await world.collect(receiver, 'order.created')
    await world.all([patient.connect(), hasty.connect()], 'to connect')
    const mend = await world.faults.refuse()
    await world.until(
      () => transports.every(({ status }) => status.state === 'backoff'),
      'both to lose their links',
    )
    const ids = numbers(COUNT).map((n) => `left-${n}`)
    const left = ids.map((id) =>
      assert.rejects(hasty.publish('order.created', id, { metadata: { id } }), {
        outcome: 'not-sent',
      }),
    )
    const report = await world.soon(hasty.drain({ timeoutMs: SHORT_MS }), 'the drain to end')
    assert.deepEqual([...report.unsent].toSorted(), ids, 'each event that was left is named')
    await world.all(left, 'their publishes to be rejected')
    const kept = numbers(COUNT).map((n) => patient.publish('order.created', n))
    const draining = patient.drain()
    await mend()
    assert.deepEqual(await world.soon(draining, 'the patient drain'), { unsent: [], unhandled: 0 })
    await world.all(kept, 'its publishes to succeed')
    if (world.capabilities.resume) await arrive(world, inbox, numbers(COUNT))
  },
}
