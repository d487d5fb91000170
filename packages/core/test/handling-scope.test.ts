import { executionAsyncResource } from 'node:async_hooks'
import { describe, expect, test } from 'vitest'
import { createBus, type Bus } from '../src/index.ts'
import { memoryTransport } from '../src/memory/index.ts'

/** What every promise of the process carries: in Node before 24 one entry for each storage that follows handlers. */
async function carried(): Promise<number> {
  await new Promise((resolve) => setImmediate(resolve))
  return Object.getOwnPropertySymbols(executionAsyncResource()).length
}

async function busWithHandler(handler: () => Promise<void> | void): Promise<Bus> {
  const bus = createBus({ transport: memoryTransport() })
  await bus.subscribe('a', handler)
  return bus
}

/** A bus whose handler ran once, and is followed. */
async function busyBus(): Promise<Bus> {
  const bus = await busWithHandler(() => Promise.resolve())
  await bus.publish('a', null)
  return bus
}

describe('following handlers over their awaits', () => {
  test('costs a promise the same however many buses there are, and nothing once they are closed', async () => {
    const before = await carried()
    const first = await busyBus()
    const withOne = await carried()
    const more = await Promise.all(Array.from({ length: 20 }, busyBus))
    expect(await carried()).toBe(withOne)
    await Promise.all([first, ...more].map((bus) => bus.close()))
    expect(await carried()).toBe(before)
  })

  test('finds the handler of each bus, also inside one of another', async () => {
    const outcomes: string[] = []
    const inner = await busWithHandler(async () => {
      await Promise.resolve()
      // Neither waits for itself: each is known to be called from inside its own handler.
      await Promise.all([inner.drain(), outer.drain()])
      outcomes.push('both drained')
    })
    const outer: Bus = await busWithHandler(async () => {
      await Promise.resolve()
      await inner.publish('a', null)
      await inner.drain()
    })
    await outer.publish('a', null)
    await expect.poll(() => outcomes).toEqual(['both drained'])
  })
})
