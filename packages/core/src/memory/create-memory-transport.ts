/** Makes a memory transport. */
import type { Transport } from '../contract/transport.ts'
import { resolveMemoryOptions, type MemoryTransportOptions } from './memory-options.ts'
import { MemoryTransport } from './memory-transport.ts'

/**
 * Makes a transport that carries events within this process, encoded as over a wire.
 *
 * Events are delivered in a turn of their own, never inside `publish`. A publish is confirmed when every matching
 * subscription has taken the event into its queue, so a full one holds its publishers back.
 *
 * @example
 * ```ts
 * import { createBus } from '@bus/core'
 * import { memoryMedium, memoryTransport } from '@bus/core/memory'
 *
 * const medium = memoryMedium()
 * await using orders = createBus({ transport: memoryTransport({ medium }) })
 * await using mail = createBus({ transport: memoryTransport({ medium }) })
 * await mail.subscribe('order.created', (event) => console.log(event.payload))
 * await orders.publish('order.created', { total: 12.5 })
 * ```
 *
 * @throws `ConfigError` naming the option.
 */
export function memoryTransport(options: MemoryTransportOptions = {}): Transport {
  return new MemoryTransport(resolveMemoryOptions(options))
}
