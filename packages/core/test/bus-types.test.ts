import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import type { Bus } from '../src/bus/bus.ts'
import { createBus } from '../src/bus/event-bus.ts'
import type { Event } from '../src/contract/event.ts'
import type { Subscriber } from '../src/contract/subscriber.ts'
import { memoryTransport } from '../src/memory/index.ts'

type Shop = {
  'order.created': { total: number }
  'order.shipped.fast': { day: string }
  'user.left': null
}

test('an event map types publish, and a pattern narrows what the handler gets', async () => {
  await using bus = createBus<Shop>({ transport: memoryTransport() })
  expectTypeOf(bus).toEqualTypeOf<Bus<Shop>>()
  expectTypeOf(bus).toExtend<Subscriber<Shop>>()
  await bus.subscribe('order.created', (event) => {
    expectTypeOf(event).toEqualTypeOf<Event<{ total: number }, 'order.created'>>()
  })
  await bus.subscribe('order.*', (event) => {
    expectTypeOf(event.type).toEqualTypeOf<'order.created'>()
  })
  await bus.subscribe('order.>', (event) => {
    expectTypeOf(event.type).toEqualTypeOf<'order.created' | 'order.shipped.fast'>()
    if (event.type === 'order.created') expectTypeOf(event.payload.total).toEqualTypeOf<number>()
  })
  await bus.subscribe(['order.created', 'user.left'], (event) => {
    expectTypeOf(event.type).toEqualTypeOf<'order.created' | 'user.left'>()
  })
  await bus.publish('user.left', null)
  // @ts-expect-error -- not in the map
  await bus.publish('user.came', null)
  // @ts-expect-error -- another payload
  bus.emit('order.created', { total: 'x' })
})

test('schemas give publishers their input and handlers their output', async () => {
  const events = { 'n.parsed': z.object({ n: z.string().transform(Number) }) }
  await using bus = createBus({ transport: memoryTransport(), events })
  expectTypeOf(bus).toEqualTypeOf<
    Bus<{ 'n.parsed': { n: string } }, { 'n.parsed': { n: number } }>
  >()
  await bus.subscribe('n.*', (event) => {
    expectTypeOf(event.payload).toEqualTypeOf<{ n: number }>()
  })
  await bus.publish('n.parsed', { n: '1' })
})

test('iteration is typed like a handler', async () => {
  await using bus = createBus<Shop>({ transport: memoryTransport() })
  const events = bus.events('user.*')
  expectTypeOf(events).toExtend<AsyncIterable<Event<null, 'user.left'>>>()
  await events.return?.()
})

test('without a map every type and payload is accepted', async () => {
  await using bus = createBus({ transport: memoryTransport() })
  await bus.subscribe('a.*', (event) => {
    expectTypeOf(event).toEqualTypeOf<Event>()
  })
  await bus.publish('anything', Symbol.iterator.description)
})
