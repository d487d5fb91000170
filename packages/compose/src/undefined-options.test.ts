import { expect, test } from 'vitest'
import { memoryTransport } from '@bus/core/memory'
import { combinedTransport, type CombinedTransportOptions } from './combined-transport.ts'
import { resolvePoolOptions, type TransportPoolOptions } from './pool-options.ts'
import { transportPool } from './pool.ts'

const transports = [memoryTransport()]

test('options of a pool that are undefined are the same as absent', async () => {
  const absent: Required<TransportPoolOptions> = {
    transports,
    discover: undefined,
    maxAttempts: undefined,
    idempotent: undefined,
    attemptTimeoutMs: undefined,
    whenDisconnected: undefined,
    maxWaiting: undefined,
    errorDecayMs: undefined,
    dedupeWindow: undefined,
    name: undefined,
    clock: undefined,
  }
  expect(resolvePoolOptions(absent)).toStrictEqual(resolvePoolOptions({ transports }))
  await using pool = transportPool(absent)
  expect(pool.name).toBe('pool')
})

test('options of a combined transport that are undefined are the same as absent', async () => {
  const absent: Required<CombinedTransportOptions> = {
    transports: [memoryTransport()],
    publish: undefined,
    fallback: undefined,
    idempotent: undefined,
    dedupeWindow: undefined,
    name: undefined,
    clock: undefined,
  }
  await using combined = combinedTransport(absent)
  expect(combined.name).toBe('combined')
})
