/** Programs that must not compile, one a line: see `compilers.test.ts`. */
import { createEvent, type Bus } from '@bus/core'

type Events = { 'order.created': { id: string }; 'order.paid': { total: number } }
declare const bus: Bus<Events>
declare const few: Bus<{ 'order.created': { id: string } }>
declare const either: 'order.created' | 'order.paid'
declare function takesMore(bus: Bus<Events>): void

void bus.subscribe('order.payd', () => {}) // a typo
void bus.subscribe(['order.paid', 'order.payd'], () => {}) // a typo in a list
void bus.subscribe('oder.*', () => {}) // a pattern that matches nothing
void bus.events('order.payd') // a typo in a loop
void bus.publish('order.payd', { total: 1 }) // a type that there is not
void bus.publish('order.paid') // a forgotten payload
void bus.publish('order.paid', { total: 'x' }) // a wrong payload
bus.emit('order.paid', { total: 'x' }) // a wrong payload, emitted
void bus.publish(createEvent('order.paid', { total: 'x' })) // a whole event with a wrong payload
void bus.publish(either, { id: 'x' }) // a payload of only one of two types
takesMore(few) // a bus with fewer events
