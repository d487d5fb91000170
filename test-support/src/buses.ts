/** Buses over the memory transport that close themselves, in a test that fails on unhandled rejections. */
import { afterEach } from 'vitest'
import { createBus, type Bus, type BusOptions } from '@bus/core'
import { memoryTransport, type MemoryTransportOptions } from '@bus/core/memory'
import { expectNoUnhandledRejection } from './no-unhandled.ts'

/** Makes buses for the tests of one file. Call it once, at the top. */
export function useBuses(): (
  options?: Partial<Omit<BusOptions, 'events'>>,
  memory?: MemoryTransportOptions,
) => Bus {
  const open: Bus[] = []
  expectNoUnhandledRejection()
  afterEach(async () => {
    await Promise.all(open.splice(0).map((bus) => bus.close()))
  })
  return (options = {}, memory = {}) => {
    const bus = createBus({ transport: memoryTransport(memory), onError: () => {}, ...options })
    open.push(bus)
    return bus
  }
}
