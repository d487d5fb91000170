/** What the full queue of a subscription gives up. */
import assert from 'node:assert/strict'
import type { BackpressureStrategy } from '@bus/core'
import { arrive, numbers } from '../../case-tools/arrivals.ts'
import type { ConformanceCase } from '../../case.ts'
import type { World } from '../../world/world.ts'

const COUNT = 20
const CAPACITY = 5

export const dropsOldest: ConformanceCase = {
  id: 'F2',
  level: 'MUST',
  title:
    'a full subscription that may drop the oldest keeps exactly the newest, and delays no other',
  async run(world) {
    await overflow(world, 'drop-oldest', numbers(CAPACITY, COUNT - CAPACITY))
  },
}

export const dropsNewest: ConformanceCase = {
  id: 'F4',
  level: 'MUST',
  title: 'a full subscription that drops the newest, or refuses, keeps exactly the oldest',
  async run(world) {
    await overflow(world, 'drop-newest', numbers(CAPACITY))
    await overflow(world, 'reject', numbers(CAPACITY))
  },
}

/** Fills a subscription that handles nothing, and lets it go on. */
async function overflow(
  world: World,
  strategy: BackpressureStrategy,
  kept: readonly number[],
): Promise<void> {
  const [sender, receiver] = [world.bus(), world.bus()]
  const told: unknown[] = []
  receiver.on('undeliverable', ({ event, reason }) => {
    if (reason === 'dropped') told.push(event?.payload)
  })
  const inbox = await world.collect(receiver, 'order.created', {
    queue: { capacity: CAPACITY, strategy },
  })
  inbox.subscription.pause()
  // One after the other: each succeeds although nobody handles anything.
  for (const n of numbers(COUNT)) {
    await world.soon(sender.publish('order.created', n), `publish ${n} with ${strategy}`)
  }
  const stats = (): ReturnType<typeof inbox.subscription.stats>['queue'] =>
    inbox.subscription.stats().queue
  await world.until(() => stats().received >= COUNT, 'everything to arrive', stats)
  assert.deepEqual(inbox.payloads, [], 'nothing is handled while the subscription is paused')
  assert.equal(stats().dropped + stats().rejected, COUNT - CAPACITY, 'the figures are exact')
  assert.equal(stats().size, CAPACITY, 'the queue is full')
  inbox.subscription.resume()
  await arrive(world, inbox, kept)
  const lost = numbers(COUNT).filter((n) => !kept.includes(n))
  assert.deepEqual(told.toSorted(byNumber), lost, 'each that was given up is told, once')
  const letters = receiver.deadLetters?.list().map(({ event }) => event?.payload) ?? []
  assert.deepEqual(letters.toSorted(byNumber), lost, 'each that was given up is a dead letter')
}

function byNumber(a: unknown, b: unknown): number {
  return Number(a) - Number(b)
}
