/** The memory transport. */
export { memoryMedium, type MemoryMedium } from './memory-medium.ts'
export { memoryTransport } from './memory-transport.ts'
export type { MemoryTransportOptions } from './memory-options.ts'
