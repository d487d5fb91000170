/** Cases about the order of events: per publisher, in total, per key, and across reconnects. */
import assert from 'node:assert/strict'
import type { Bus } from '@bus/core'
import { numbers, publishAll, publishEach } from '../../case-tools/publishing.ts'
import { both, type ConformanceCase, KEEPS_ORDER, RECONNECTS, TOTAL_ORDER } from '../../case.ts'
import type { World } from '../../world/world.ts'
import type { Inbox } from '../../world/inbox.ts'
import { relinked } from '../../case-tools/connections.ts'

const COUNT = 1_000
const PUBLISHERS = 5

/** Ten clients with five publishers each. */
const CLIENTS = 10
const PER_CLIENT = 5
const PER_PUBLISHER = 40

/** Of any size, so that frames, packets and batches are cut at many places. */
function padding(n: number): string {
  return 'x'.repeat(n % 7 === 0 ? (n * 37) % 9_000 : n % 50)
}

export const orderPerPublisher: ConformanceCase = {
  id: 'C1',
  level: 'MUST',
  title:
    'a thousand events of one publisher, published or emitted, reach every subscriber in order',
  needs: KEEPS_ORDER,
  async run(world) {
    const [sender, one, two] = [world.bus(), world.bus(), world.bus()]
    const inboxes = await Promise.all(
      [one, one, two].map((receiver) => world.collect(receiver, 'a')),
    )
    await publishEach(
      world,
      numbers(COUNT).map((n) => () => {
        if (n % 3 === 0) sender.emit('a', [n, 'emitted'])
        return sender.publish('a', [n, padding(n)])
      }),
    )
    const expected = numbers(COUNT).flatMap((n) => (n % 3 === 0 ? [n, n] : [n]))
    for (const inbox of inboxes) {
      await inbox.count(expected.length)
      assert.deepEqual(inbox.payloads.map(numberIn), expected)
    }
  },
}

function numberIn(payload: unknown): unknown {
  return (payload as readonly unknown[])[0]
}

export const totalOrder: ConformanceCase = {
  id: 'C2',
  level: 'MUST',
  title: 'every subscriber sees the events of five publishers in one common order',
  needs: TOTAL_ORDER,
  async run(world) {
    const inboxes = await Promise.all(numbers(3).map(() => world.collect(world.bus(), 'a')))
    const publishers = numbers(PUBLISHERS).map(() => world.bus())
    await Promise.all(publishers.map((bus, p) => publishAll(world, bus, 'a', ofPublisher(p))))
    for (const inbox of inboxes) await inbox.count(COUNT)
    const [first, ...others] = inboxes
    for (const inbox of others) assert.deepEqual(inbox.payloads, first?.payloads)
  },
}

function ofPublisher(p: number): string[] {
  return numbers(COUNT / PUBLISHERS).map((n) => `${p}-${n}`)
}

export const exactSet: ConformanceCase = {
  id: 'C5',
  level: 'MUST',
  title: 'what fifty publishers publish at the same time arrives completely, and nothing else',
  async run(world) {
    const inbox = await world.collect(world.bus(), 'a')
    const clients: Bus[] = numbers(CLIENTS).map(() => world.bus())
    const sent = clients.flatMap((bus, c) =>
      numbers(PER_CLIENT).map((p) => ({ bus, name: `${c}-${p}` })),
    )
    await Promise.all(
      sent.map(async ({ bus, name }) => {
        for (const n of numbers(PER_PUBLISHER)) {
          await world.soon(bus.publish('a', `${name}-${n}`), 'a publish')
        }
      }),
    )
    await inbox.gets(sent.flatMap(({ name }) => numbers(PER_PUBLISHER).map((n) => `${name}-${n}`)))
  },
}

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

const CUTS = 6
const BETWEEN_CUTS = 50

export const orderAcrossReconnects: ConformanceCase<'cut'> = {
  id: 'C7',
  level: 'STOCHASTIC',
  title: 'what arrives for the first time arrives in order, however often connections break',
  needs: both(KEEPS_ORDER, RECONNECTS),
  faults: ['cut'],
  async run(world) {
    const [from, to] = [world.transport(), world.transport()]
    const [sender, receiver] = [world.bus({ transport: from }), world.bus({ transport: to })]
    const inbox = await world.collect(receiver, 'a')
    await world.soon(sender.connect(), 'to connect')
    let n = 0
    const publishing: Promise<unknown>[] = []
    const publishSome = (): void => {
      for (let left = BETWEEN_CUTS; left > 0; left--) {
        // What a broken link refuses is not the question here.
        publishing.push(sender.publish('a', n++).catch(() => {}))
      }
    }
    for (let cut = 0; cut < Math.ceil(CUTS * world.effort); cut++) {
      publishSome()
      const broken = world.random() < 0.5 ? from : to
      await relinked(world, broken, async () => {
        publishSome()
        await world.faults.cut(broken)
        publishSome()
      })
    }
    await world.all(publishing, 'every publish to settle')
    await world.soon(sender.publish('a', n), 'the last publish')
    await world.until(() => inbox.payloads.includes(n), 'the last event')
    await world.quiet()
    const first = firstArrivals(inbox)
    assert.deepEqual(
      first,
      first.toSorted((a, b) => a - b),
    )
  },
}

function firstArrivals({ payloads }: Inbox): number[] {
  return [...new Set(payloads as number[])]
}
