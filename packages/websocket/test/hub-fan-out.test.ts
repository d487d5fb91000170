import { expect, test } from 'vitest'
import { Turn } from '../src/hub/bus-v1/turn.ts'
import { startHub } from './hub-clients.ts'
import { until } from './harness.ts'
import { greet, pub, sub } from './wire-client.ts'

test('one event for very many readers lets others have their turn after every 512 of them [F162]', async () => {
  const order: string[] = []
  const readers = Array.from({ length: 2_000 }, () => ({ serve: () => void order.push('served') }))
  const turn = new Turn<{ serve(turn: number): void }>({
    prepare: (first) => {
      for (const reader of readers) first.add(reader)
    },
    finish: () => void order.push('done'),
  })
  turn.schedule()
  const other = (): void => {
    order.push('other')
    if (!order.includes('done')) setImmediate(other)
  }
  setImmediate(other)
  await until(() => order.includes('done') && order.at(-1) === 'other', 'all are served')
  const runs = order.join(' ').split(/(?: ?(?:other|done) ?)+/)
  const served = runs.map((run) => run.split(' ').filter((word) => word === 'served').length)
  expect(Math.max(...served)).toBe(512)
  expect(served.reduce((sum, count) => sum + count)).toBe(2_000)
})

test('every one of many readers gets it, and one that asks something meanwhile is answered [F162]', async () => {
  const hub = await startHub({ limits: { connectionsPerIp: Infinity } })
  const readers = []
  for (let n = 0; n < 600; n += 50) {
    const some = Array.from({ length: 50 }, () => greet(hub, { subs: [sub(1, '>', 'amo')] }))
    readers.push(...(await Promise.all(some)))
  }
  const publisher = await greet(hub)
  publisher.say(...Array.from({ length: 20 }, (_, i) => pub(i + 1, i)))
  await publisher.line('ok 20')
  await publisher.settled()
  await Promise.all(readers.map((reader) => reader.events(20)))
  expect(hub.stats().busV1.delivered).toBe(600 * 20)
})
