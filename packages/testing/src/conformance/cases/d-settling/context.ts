/** The case about the asynchronous context in which handlers run. */
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { numbers } from '../../case-tools/publishing.ts'
import type { ConformanceCase } from '../../case.ts'

export const handlerContext: ConformanceCase = {
  id: 'D11',
  level: 'MUST',
  title:
    'a handler runs in the asynchronous context in which it was subscribed, never in another one',
  async run(world) {
    const tenant = new AsyncLocalStorage<string>()
    const [bus, sender] = [world.bus(), world.bus()]
    // The first one opens the link, which then carries the events of all.
    await tenant.run('first', () => world.soon(bus.publish('started', null), 'the first publish'))
    const seen: (string | undefined)[] = []
    const look = (): void => void seen.push(tenant.getStore())
    const subscribe = (): Promise<unknown> => world.soon(bus.subscribe('a', look), 'to subscribe')
    await subscribe()
    await tenant.run('subscriber', subscribe)
    await world.all(
      numbers(100).map((n) => tenant.run(`publisher ${n}`, () => sender.publish('a', n))),
      'the publishes',
    )
    await world.until(() => seen.length === 200, 'all to be handled')
    assert.deepEqual(new Set(seen), new Set(['subscriber', undefined]))
  },
}
