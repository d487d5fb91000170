import { ConnectionRegistry, combinedTransport, transportPool } from '@bus/compose'
import { createBus, createEvent } from '@bus/core'
import { memoryTransport } from '@bus/core/memory'
import { describe, expect, onTestFinished, test } from 'vitest'
import { busV1, webSocketTransport, type WebSocketTransport } from '../src/index.ts'
import { plainJson } from '../src/protocol/index.ts'
import { frameOf, serve, transportTo, until } from './harness.ts'
import { startHub } from './hub-clients.ts'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

describe('a pool of live connections', () => {
  test('sends each event over one of them, and never uses one that is lost', async () => {
    const servers = [await serve(), await serve(), await serve()]
    const members = servers.map((server) =>
      transportTo(server, { reconnect: { backoff: () => 60_000 } }),
    )
    const pool = transportPool({ transports: members })
    await using bus = createBus({ transport: pool })
    await Promise.all(members.map((member) => member.connect()))
    const taken = (): number => servers.reduce((sum, { received }) => sum + received.length, 0)
    for (const n of numbers(9)) await bus.publish('a', n)
    await until(() => taken() === 9, 'all of it')
    const [lost] = servers
    const before = lost?.received.length
    lost?.faults.reset()
    await until(() => members[0]?.status.state === 'backoff', 'the loss is seen')
    for (const n of numbers(8)) await bus.publish('a', n)
    await until(() => taken() === 17, 'the others have it')
    expect(lost?.received).toHaveLength(before ?? NaN)
    expect(pool.scores().map(({ score }) => score > 0)).toEqual([false, true, true])
    expect(await bus.health()).toMatchObject({ status: 'degraded' })
  })

  test('fails over from a member that takes nothing, within its time', async () => {
    const [stalled, good] = [await serve(), await serve()]
    const members = [transportTo(stalled, { highWaterMarkBytes: 1 }), transportTo(good)] as const
    await Promise.all(members.map((member) => member.connect()))
    stalled.faults.stall()
    const pool = transportPool({ transports: members, attemptTimeoutMs: 30 })
    // What the kernel does not take any more is under way; what is behind it has never left.
    const bulk = 'x'.repeat(1_000_000)
    const stuck = numbers(20).map(() => members[0].publish(createEvent('bulk', bulk)))
    for (const each of stuck) each.catch(() => {})
    await using bus = createBus({ transport: pool })
    for (const n of numbers(5)) await bus.publish('a', n)
    await until(() => good.received.length === 5, 'the other has all of it')
    stalled.faults.clear()
  })

  test('delivers each event of one hub once over all its links, and confirms every publish', async () => {
    const hub = await startHub()
    const link = (): WebSocketTransport => transportTo(hub, { protocol: busV1() })
    await using pooled = createBus({ transport: transportPool({ transports: [link(), link()] }) })
    await using other = createBus({ transport: link() })
    const [mine, theirs]: [unknown[], unknown[]] = [[], []]
    await pooled.subscribe('a', ({ payload }) => void mine.push(payload))
    await other.subscribe('b', ({ payload }) => void theirs.push(payload))
    for (const n of numbers(50)) {
      await expect(pooled.publish('b', n)).resolves.toMatchObject({ status: 'confirmed' })
      await other.publish('a', n)
    }
    await until(() => mine.length >= 50 && theirs.length >= 50, 'all arrive')
    expect(mine).toEqual(numbers(50))
    expect(theirs).toEqual(numbers(50))
    // The hub sends its own events back, over both links.
    await pooled.subscribe('b', ({ payload }) => void mine.push(payload))
    await pooled.publish('b', 'own')
    await other.publish('a', 'last')
    await until(() => mine.includes('last'), 'the last')
    expect(mine.slice(50)).toEqual(expect.arrayContaining(['own', 'last']))
    expect(mine).toHaveLength(52)
  })

  test('finds its members in a registry, which forgets those that give up', async () => {
    const [one, two] = [await serve(), await serve()]
    await using registry = new ConnectionRegistry<WebSocketTransport>()
    await using pool = transportPool({ discover: () => registry.transports() })
    await expect(pool.publish(createEvent('a', 0))).rejects.toMatchObject({
      code: 'no-connections',
    })
    registry.register('one', transportTo(one, { reconnect: false }))
    await pool.publish(createEvent('a', 1))
    registry.register('two', transportTo(two, { reconnect: false }))
    await registry.get('two')?.connect()
    one.disconnect(1001)
    await until(() => !registry.has('one'), 'it is forgotten')
    await pool.publish(createEvent('a', 2))
    await two.waitForMessage(/"payload":2/)
    expect(registry.size).toBe(1)
  })
})

describe('several live transports on one bus', () => {
  test('go to the next when the first is lost, and to the fallback when all are', async () => {
    const servers = [await serve(), await serve()]
    const transports = servers.map((server) =>
      transportTo(server, { reconnect: { backoff: () => 60_000 } }),
    )
    const fallback = memoryTransport()
    const kept: unknown[] = []
    fallback.subscribe(['>'], { deliver: ({ payload }) => kept.push(payload) > 0 })
    await using bus = createBus({ transport: combinedTransport({ transports, fallback }) })
    await Promise.all(transports.map((transport) => transport.connect()))
    for (const [i, server] of servers.entries()) {
      await bus.publish('a', i)
      await server.waitForMessage(new RegExp(`"payload":${i}`))
      server.faults.reset()
      await until(() => transports[i]?.status.state === 'backoff', 'the loss is seen')
    }
    await bus.publish('a', 'kept')
    expect(kept).toEqual(['kept'])
  })

  test('bring what each of them hears, and send to all when so configured', async () => {
    const servers = [await serve(), await serve()]
    const transports = servers.map(({ url }) => webSocketTransport({ url, protocol: plainJson() }))
    const bus = createBus({ transport: combinedTransport({ transports, publish: 'all' }) })
    onTestFinished(() => bus.close())
    const seen: unknown[] = []
    await bus.subscribe('a', ({ payload }) => void seen.push(payload))
    await Promise.all(transports.map((transport) => transport.connect()))
    for (const [i, server] of servers.entries()) {
      server.inject(frameOf('a', i, `only-${i}`))
      server.inject(frameOf('a', 2, 'on-both'))
    }
    await until(() => seen.length === 3, 'all of it')
    expect(new Set(seen)).toEqual(new Set([0, 1, 2]))
    await bus.publish('b', 1)
    await until(() => servers.every(({ received }) => received.length === 1), 'both have it')
  })
})
