/** Makes a bus over a transport. */
import type { EventMap } from '../contract/subscriber.ts'
import { resolveBusOptions, type BusOptions } from './bus-options.ts'
import type { Bus } from './bus.ts'
import { EventBus } from './event-bus.ts'
import type { EventSchemas, InputOf, OutputOf } from './validation.ts'

/**
 * Makes a bus whose event types come from schemas.
 *
 * @throws `ConfigError` naming the option.
 */
export function createBus<S extends EventSchemas>(
  options: BusOptions & { readonly events: S },
): Bus<InputOf<S>, OutputOf<S>>
/**
 * Makes a bus whose event types come from a type, or are any.
 *
 * @example
 * ```ts
 * import { createBus } from '@bus/core'
 * import { memoryTransport } from '@bus/core/memory'
 *
 * await using bus = createBus<{ 'order.created': { total: number } }>({ transport: memoryTransport() })
 * await bus.subscribe('order.*', (event) => console.log(event.payload.total))
 * await bus.publish('order.created', { total: 12.5 })
 * ```
 *
 * @throws `ConfigError` naming the option.
 */
export function createBus<M extends EventMap = EventMap>(
  options: BusOptions & { readonly events?: undefined },
): Bus<M>
export function createBus(options: BusOptions): Bus {
  return new EventBus(resolveBusOptions(options))
}
