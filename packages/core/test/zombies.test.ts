import { describe, expect, test } from 'vitest'
import { useBuses, SimulatedClock, until } from '@bus/test-support'

const makeBus = useBuses()

/** A bus with a handler that never ends, which counts its calls. */
async function stuck(options: { readonly concurrency: number; readonly zombieLimit: number }) {
  const clock = new SimulatedClock()
  const bus = makeBus({ clock })
  const releases: (() => void)[] = []
  const aborted: boolean[] = []
  let [running, most] = [0, 0]
  const subscription = await bus.subscribe(
    'a',
    async (_event, { signal }) => {
      most = Math.max(most, ++running)
      const n = aborted.push(false) - 1
      signal.addEventListener('abort', () => (aborted[n] = true))
      await new Promise<void>((resolve) => releases.push(resolve))
      running--
    },
    { ...options, handlerTimeoutMs: 100 },
  )
  return {
    bus,
    clock,
    subscription,
    releases,
    aborted,
    most: () => most,
    calls: () => aborted.length,
  }
}

describe('a handler that never ends', () => {
  test('is aborted when its time is up, its event is a dead letter, and its place is free for the next, up to the zombie limit [F101]', async () => {
    const { bus, clock, subscription, releases, aborted, calls } = await stuck({
      concurrency: 1,
      zombieLimit: 2,
    })
    for (let n = 0; n < 5; n++) await bus.publish('a', n)
    for (let n = 1; n <= 3; n++) {
      await until(() => calls() === n)
      clock.advance(100)
      await until(() => aborted[n - 1] === true)
    }
    // The third holds its place: two run on without one already.
    await until(() => subscription.stats().zombies === 2)
    clock.advance(10_000)
    expect(calls()).toBe(3)
    expect(subscription.stats()).toMatchObject({ zombies: 2, active: 1, failed: 2 })
    expect(bus.deadLetters?.list()).toMatchObject([
      { reason: 'handler', error: { code: 'timeout' }, event: { payload: 0 } },
      { reason: 'handler', error: { code: 'timeout' }, event: { payload: 1 } },
    ])
    // Its end frees the place; the ends of the others free theirs.
    for (const release of releases.splice(0)) release()
    await until(() => calls() === 4)
    expect(subscription.stats()).toMatchObject({ zombies: 0, failed: 3 })
    for (const release of releases.splice(0)) release()
    await until(() => calls() === 5)
  })

  test('does not let more handlers run at once than there are places, plus the zombies that are counted [F103]', async () => {
    const { bus, clock, subscription, releases, calls, most } = await stuck({
      concurrency: 3,
      zombieLimit: 2,
    })
    for (let n = 0; n < 20; n++) bus.emit('a', n)
    await until(() => calls() === 3)
    clock.advance(100)
    await until(() => calls() === 5)
    clock.advance(100)
    await until(() => subscription.stats().zombies === 2)
    clock.advance(10_000)
    expect(most()).toBe(3 + 2)
    const { active, zombies } = subscription.stats()
    expect([active, zombies]).toEqual([3, 2])
    while (calls() < 20) {
      for (const release of releases.splice(0)) release()
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(most()).toBeLessThanOrEqual(5)
    for (const release of releases.splice(0)) release()
  })
})
