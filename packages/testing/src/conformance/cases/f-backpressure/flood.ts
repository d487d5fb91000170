/** A flood for a slow handler. */
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import type { Bus, Subscription } from '@bus/core'
import { numbers } from '../../arrivals.ts'
import type { ConformanceCase } from '../../case.ts'
import { HOLDS_READING } from '../../claims.ts'
import type { World } from '../../world.ts'

const COUNT = 3_000
/** Of either queue. */
const CAPACITY = 50
/** How many are handled between two looks at the queues. */
const LOOK_EVERY = 50

export const boundedUnderFlood: ConformanceCase = {
  id: 'F1',
  level: 'MUST',
  title: 'a flood for a slow handler keeps every queue within its bound, and all of it is handled',
  needs: HOLDS_READING,
  limitMs: 60_000,
  async run(world) {
    const count = Math.ceil(COUNT * world.effort)
    const sender = world.bus({ queue: { capacity: CAPACITY } })
    const receiver = world.bus()
    const payloads: unknown[] = []
    const handler = async ({ payload }: { readonly payload: unknown }): Promise<void> => {
      await turn()
      payloads.push(payload)
    }
    const subscription = await world.soon(
      receiver.subscribe('order.created', handler, { queue: { capacity: CAPACITY } }),
      'to be subscribed',
    )
    await world.soon(sender.connect(), 'to connect')
    const flooded = flood(sender, count)
    const worst = await watch(world, sender, receiver, subscription, () => payloads.length, count)
    await world.soon(flooded, 'the flood to be taken')
    assert.ok(worst.outbound <= 1, `the queue to be sent was ${worst.outbound} full`)
    assert.ok(
      worst.inbound < count / 2,
      `${worst.inbound} of ${count} events waited for the handler at once`,
    )
    const got = world.capabilities.ordering === 'none' ? payloads.toSorted(byNumber) : payloads
    assert.deepEqual(got, numbers(count))
  },
}

/** Emits as fast as it may. */
async function flood(sender: Bus, count: number): Promise<void> {
  for (const n of numbers(count)) {
    if (sender.emit('order.created', n)) continue
    await new Promise<void>((resolve) => sender.on('ready', () => resolve(), { once: true }))
  }
}

/** The most that waited at once: as a share of the outbound queue, and for the handler. Ends when all is handled, or nothing more is. */
async function watch(
  world: World,
  sender: Bus,
  receiver: Bus,
  { id }: Subscription,
  handled: () => number,
  count: number,
): Promise<{ readonly outbound: number; readonly inbound: number }> {
  let [outbound, inbound] = [0, 0]
  for (let next = LOOK_EVERY; handled() < count; next = handled() + LOOK_EVERY) {
    const { size, capacity } = sender.backpressureStats()
    outbound = Math.max(outbound, size / capacity)
    const { subscriptions } = await receiver.health()
    inbound = Math.max(inbound, subscriptions.find((one) => one.id === id)?.queued ?? 0)
    await world.until(
      () => handled() >= Math.min(next, count),
      `${count} events to be handled`,
      () => `${handled()} were`,
    )
  }
  return { outbound, inbound }
}

function byNumber(a: unknown, b: unknown): number {
  return Number(a) - Number(b)
}
