import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { until, useBuses } from '@bus/test-support'

const makeBus = useBuses()
const tenant = new AsyncLocalStorage<string>()

test.each(['synchronous', 'asynchronous'])(
  'a %s handler runs in the context in which it was subscribed, not in that of a publisher or of who connected',
  async (kind) => {
    const bus = makeBus()
    // The first request connects the bus.
    await tenant.run('first visitor', () => bus.publish('app.started', null))
    const seen: unknown[] = []
    const look = (): void => void seen.push(tenant.getStore())
    const lookLater = async (): Promise<void> => {
      look()
      await sleep(1)
      look()
    }
    const handler = kind === 'synchronous' ? look : lookLater
    await tenant.run('subscriber', () => bus.subscribe('a', handler))
    await bus.subscribe('a', handler)
    // More than it takes to know that a handler returns at once.
    for (let n = 0; n < 100; n++) await tenant.run(`publisher ${n}`, () => bus.publish('a', n))
    const looks = kind === 'synchronous' ? 1 : 2
    await until(() => seen.length === 200 * looks)
    expect(new Set(seen)).toEqual(new Set(['subscriber', undefined]))
    expect(seen.filter((store) => store === 'subscriber')).toHaveLength(100 * looks)
  },
)

test('a retry runs in the same context', async () => {
  const bus = makeBus()
  const seen: unknown[] = []
  const failing = (): void => {
    seen.push(tenant.getStore())
    throw new Error('not yet')
  }
  const errorPolicy = { retry: { attempts: 3, backoff: () => 1 } }
  await tenant.run('subscriber', () => bus.subscribe('a', failing, { errorPolicy }))
  await tenant.run('publisher', () => bus.publish('a', 1))
  await until(() => seen.length === 3)
  expect(seen).toEqual(['subscriber', 'subscriber', 'subscriber'])
})

test('one that is subscribed inside of a handler does not count as that handler', async () => {
  const bus = makeBus()
  let inner = 0
  const outer = await bus.subscribe('outer', async () => {
    await bus.subscribe('inner', async () => {
      await sleep(1)
      // Awaits the handler that runs: it would not be inside of it, so it waits for its end.
      await outer.unsubscribe()
      inner++
    })
    await bus.publish('inner', 1)
    await sleep(20)
  })
  await bus.publish('outer', 1)
  await until(() => inner === 1)
  expect(outer.stats().active).toBe(0)
})
