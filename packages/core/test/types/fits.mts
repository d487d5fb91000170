/** Programs that must compile: see `compilers.test.ts`. */
import { createBus, createEvent, type AnyBus, type Bus } from '@bus/core'
import { memoryTransport } from '@bus/core/memory'

type Events = { 'order.created': { id: string }; 'order.paid': { total: number } }
type More = Events & { 'user.left': null }
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

declare const bus: Bus<Events>
declare const more: Bus<More>
declare const signal: AbortSignal | undefined
declare const either: 'order.created' | 'order.paid'
declare const atRunTime: string
declare const severalAtRunTime: string[]
declare function is<_T extends true>(): void

// a wrapper that is generic in the type
export const on = <T extends keyof Events & string>(
  type: T,
  handle: (payload: Events[T]) => void,
) => bus.subscribe(type, (event) => handle(event.payload))
export const say = <T extends keyof Events & string>(type: T, payload: Events[T]) =>
  bus.publish(type, payload)

// a pattern that is known at run time gives the union of all payloads
void bus.subscribe(atRunTime, (event) => {
  is<Same<typeof event.payload, { id: string } | { total: number }>>()
})
void bus.subscribe(severalAtRunTime, (event) => {
  is<Same<typeof event.type, keyof Events>>()
})

// a bus with more events fits where fewer, or any, are asked for
declare function takesFewer(bus: Bus<Events>): void
declare function takesAny(bus: AnyBus): void
declare function takesDefault(bus: Bus): void
takesFewer(more)
takesAny(more)
takesDefault(more)

// an interface is an event map
interface Orders {
  'order.created': { id: string }
}
const orders = createBus<Orders>({ transport: memoryTransport() })
void orders.publish('order.created', { id: 'x' })
takesAny(orders)

// undefined is absent
void bus.publish('order.paid', { total: 1 }, { signal })
bus.emit('order.paid', { total: 1 }, { delivery: undefined, metadata: undefined })

// patterns narrow
void more.subscribe('order.*', (event) => {
  is<Same<typeof event.type, 'order.created' | 'order.paid'>>()
  if (event.type === 'order.paid') event.payload.total.toFixed()
})
void more.subscribe('*.paid', (event) => {
  is<Same<typeof event.type, 'order.paid'>>()
})
void more.subscribe('>', (event) => {
  is<Same<typeof event.type, keyof More>>()
})
void more.subscribe([], (event) => {
  is<Same<typeof event.type, keyof More>>()
})
void more.subscribe(['order.created', 'user.left'], (event) => {
  is<Same<typeof event.type, 'order.created' | 'user.left'>>()
})
void more.subscribe(['*.paid', 'user.left'], (event) => {
  is<Same<typeof event.type, 'order.paid' | 'user.left'>>()
})
void bus.subscribe(either, (event) => {
  is<Same<typeof event.type, 'order.created' | 'order.paid'>>()
})
for await (const event of bus.events('order.paid')) event.payload.total.toFixed()

// whole events
void bus.publish(createEvent('order.paid', { total: 1 }))

// without a map everything goes
declare const any: Bus
void any.publish('anything', 1)
void any.subscribe('any.*', (event) => {
  is<Same<typeof event.payload, unknown>>()
})
