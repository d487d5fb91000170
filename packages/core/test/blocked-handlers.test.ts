import { describe, expect, test } from 'vitest'
import { createBus } from '../src/bus/event-bus.ts'
import type { BusOptions } from '../src/bus/bus-options.ts'
import type { Handler } from '../src/contract/subscriber.ts'
import type { PublishReceipt } from '../src/contract/transport.ts'
import { SimulatedClock, StubTransport, deferred, stateOf, until } from '@bus/test-support'

/** A bus whose publishes wait until the test answers them. */
async function setUp(handler: Handler, options: Pick<BusOptions, 'blockedHandlerMs'> = {}) {
  const clock = new SimulatedClock()
  const transport = new StubTransport()
  const answers: ((receipt: PublishReceipt) => void)[] = []
  transport.onPublish = () => {
    const answer = deferred<PublishReceipt>()
    answers.push((receipt) => answer.resolve(receipt))
    return answer.promise
  }
  const bus = createBus({ transport, clock, ...options })
  const told: unknown[] = []
  bus.on('blocked-handler', ({ id, event, waitedMs }) => void told.push([id, event.type, waitedMs]))
  const subscription = await bus.subscribe('a', handler, { concurrency: 10 })
  let n = 0
  const deliver = (): void => {
    const event = { id: `e${++n}`, type: 'a', payload: n, metadata: { timestamp: 1 } }
    transport.feeds[0]?.sink.deliver(event, n)
  }
  const answer = (): void =>
    void answers.splice(0).map((settle) => settle({ id: 'x', status: 'confirmed', attempts: 1 }))
  return { bus, clock, transport, answer, told, subscription, deliver }
}

describe('a handler that waits for its own publish', () => {
  test('is reported once, with what waits, and goes on waiting [F97]', async () => {
    const world = await setUp(async () => void (await world.bus.publish('b', 1)))
    const { clock, told, subscription, deliver, answer, transport } = world
    deliver()
    deliver()
    await until(() => transport.published.length === 2)
    clock.advance(999)
    expect(told).toEqual([])
    clock.advance(1)
    expect(told).toEqual([[subscription.id, 'b', 1_000]])
    clock.advance(60_000)
    expect(told).toHaveLength(1)
    expect(subscription.stats().active).toBe(2)
    answer()
    await until(() => subscription.stats().handled === 2)
    // It is over. What waits later is another story.
    clock.advance(1_000)
    expect(clock.pending).toBe(0)
    deliver()
    await until(() => transport.published.length === 3)
    clock.advance(2_000)
    expect(told).toHaveLength(2)
    await world.bus.close()
  })

  test('is reported after blockedHandlerMs [F97]', async () => {
    const world = await setUp(async () => void (await world.bus.publish('b', 1)), {
      blockedHandlerMs: 50,
    })
    world.deliver()
    await until(() => world.transport.published.length === 1)
    world.clock.advance(50)
    expect(world.told).toHaveLength(1)
    await world.bus.close()
    expect(world.clock.pending).toBe(0)
  })
})

test('a handler that waits for a publish of another bus is reported by that bus [F97]', async () => {
  const publishing = await setUp(() => {})
  const handling = await setUp(async () => void (await publishing.bus.publish('b', 1)))
  handling.deliver()
  await until(() => publishing.transport.published.length === 1)
  publishing.clock.advance(1_000)
  expect(publishing.told).toEqual([[handling.subscription.id, 'b', 1_000]])
  publishing.answer()
  await until(() => handling.subscription.stats().handled === 1)
  await Promise.all([publishing.bus.close(), handling.bus.close()])
})

describe('nothing is reported of a publish', () => {
  test('outside of handlers, however long it waits [F97]', async () => {
    const { bus, clock, told } = await setUp(() => {})
    const publish = bus.publish('b', 1)
    clock.advance(60_000)
    expect(told).toEqual([])
    expect(clock.pending).toBe(0)
    await bus.close()
    expect(await stateOf(publish)).toBe('pending')
  })

  test('that the handler left behind when it ended [F97]', async () => {
    const world = await setUp(async () => {
      void world.bus.publish('b', 1)
      await Promise.resolve()
    })
    world.deliver()
    await until(() => world.subscription.stats().handled === 1)
    world.clock.advance(60_000)
    expect(world.told).toEqual([])
    expect(world.clock.pending).toBe(0)
    await world.bus.close()
  })
})
