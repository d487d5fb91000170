/** How many handlers run at once, and what stays in order then. */
import assert from 'node:assert/strict'
import { numbers } from '../../case-tools/arrivals.ts'
import { publishAll } from '../../case-tools/batches.ts'
import type { ConformanceCase } from '../../case.ts'
import { KEEPS_ORDER } from '../../claims.ts'
import type { World } from '../../world/world.ts'

const KEYS = 6
const PER_KEY = 20
const CONCURRENCY = 8

export const orderPerKey: ConformanceCase = {
  id: 'C3',
  level: 'MUST',
  title:
    'with orderBy, events of one key are handled in order and one at a time, those of others meanwhile',
  needs: KEEPS_ORDER,
  async run(world) {
    const [sender, receiver] = [world.bus(), world.bus()]
    const handled = new Map<string, number[]>()
    const running = new Set<string>()
    let most = 0
    await world.soon(
      receiver.subscribe(
        'a',
        async ({ payload }) => {
          const { key, n } = payload as { key: string; n: number }
          assert.ok(!running.has(key), `two handlers of the key ${key} at once`)
          running.add(key)
          most = Math.max(most, running.size)
          await pause(world)
          handled.set(key, [...(handled.get(key) ?? []), n])
          running.delete(key)
        },
        { concurrency: CONCURRENCY, orderBy: ({ payload }) => (payload as { key: string }).key },
      ),
      'to be subscribed',
    )
    const all = numbers(KEYS * PER_KEY).map((n) => ({ key: `k${n % KEYS}`, n }))
    await publishAll(world, sender, 'a', all)
    const count = (): number => [...handled.values()].flat().length
    await world.until(() => count() >= all.length, 'every event to be handled', count)
    for (const [key, order] of handled) {
      const own = all.filter((one) => one.key === key)
      assert.deepEqual(
        order,
        own.map(({ n }) => n),
      )
    }
    assert.ok(most > 1, 'different keys are handled at the same time')
    assert.equal(receiver.deadLetters?.size, 0, 'no handler failed')
  },
}

export const concurrency: ConformanceCase = {
  id: 'C4',
  level: 'MUST',
  title:
    'no more handlers run than the concurrency says, which is one by default, and they are awaited',
  async run(world) {
    assert.equal(await mostAtOnce(world, undefined), 1)
    assert.equal(await mostAtOnce(world, 1), 1)
    assert.equal(await mostAtOnce(world, 4), 4)
  },
}

/** How many handlers ran at once while 40 events were handled. */
async function mostAtOnce(world: World, limit: number | undefined): Promise<number> {
  const [sender, receiver] = [world.bus(), world.bus()]
  let running = 0
  let most = 0
  let ended = 0
  await world.soon(
    receiver.subscribe(
      'a',
      async () => {
        most = Math.max(most, ++running)
        await pause(world)
        running--
        ended++
      },
      limit === undefined ? {} : { concurrency: limit },
    ),
    'to be subscribed',
  )
  await publishAll(world, sender, 'a', numbers(40))
  await world.until(
    () => ended >= 40,
    'every handler to end',
    () => ended,
  )
  return most
}

/** As long as a handler takes; never the same. */
function pause({ clock, random }: World): Promise<void> {
  return new Promise((resolve) => void clock.setTimeout(resolve, 1 + random() * 3))
}
