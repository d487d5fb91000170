/** The order of events. */
import assert from 'node:assert/strict'
import type { Bus } from '@bus/core'
import { numbers } from '../../case-tools/arrivals.ts'
import { publishAll, publishEach } from '../../case-tools/batches.ts'
import type { ConformanceCase } from '../../case.ts'
import { KEEPS_ORDER, TOTAL_ORDER } from '../../claims.ts'

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
