/** Many subscriptions at once. */
import assert from 'node:assert/strict'
import type { Bus, Event, Subscription } from '@bus/core'
import { numbers } from '../../case-tools/arrivals.ts'
import { publishEach } from '../../case-tools/batches.ts'
import type { ConformanceCase } from '../../case.ts'
import { collectGarbage } from '../../case-tools/garbage.ts'
import type { World } from '../../world/world.ts'

const TYPES = 300
const PER_TYPE = 10

/** Handlers that something may still hold for a moment, such as the last that was called. */
const STRAGGLERS = 20

export const manyTypes: ConformanceCase = {
  id: 'B14',
  level: 'MUST',
  title:
    'three hundred subscriptions get three thousand events as they should, and are freed when they end',
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    await world.all([sender.connect(), receiver.connect()], 'both to connect')
    const counts = new Map<string, number>()
    const handlers: WeakRef<object>[] = []
    const subscriptions = await subscribeAll(world, receiver, counts, handlers)
    await publishEach(
      world,
      numbers(TYPES * PER_TYPE).map((n) => () => sender.publish(`many.${n % TYPES}`, n)),
    )
    const total = (): number => [...counts.values()].reduce((sum, count) => sum + count, 0)
    await world.until(() => total() >= TYPES * PER_TYPE, 'every event', total)
    await world.quiet()
    assert.deepEqual(new Set(counts.values()), new Set([PER_TYPE]), 'each type as often')
    await world.all(
      subscriptions.splice(0).map((subscription) => subscription.unsubscribe()),
      'to unsubscribe',
    )
    assert.equal(receiver.subscriptions.length, 0)
    await world.soon(sender.publish('many.0', 'late'), 'a publish')
    await world.quiet()
    assert.equal(total(), TYPES * PER_TYPE, 'nothing after the end')
    collectGarbage()
    const held = handlers.filter((handler) => handler.deref() !== undefined).length
    assert.ok(held <= STRAGGLERS, `${held} handlers of subscriptions that ended are still held`)
  },
}

/** Each handler counts the events that came to it under the type that it is for. */
async function subscribeAll(
  world: World,
  bus: Bus,
  counts: Map<string, number>,
  handlers: WeakRef<object>[],
): Promise<Subscription[]> {
  const subscribing = numbers(TYPES).map((n) => {
    const type = `many.${n}`
    const handler = (event: Event): void => {
      if (event.type === type) counts.set(type, (counts.get(type) ?? 0) + 1)
      else assert.fail(`${event.type} came to the handler of ${type}`)
    }
    handlers.push(new WeakRef(handler))
    return bus.subscribe(type, handler)
  })
  return await world.all(subscribing, 'to be subscribed')
}
