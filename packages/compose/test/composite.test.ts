import { describe, expect, onTestFinished, test } from 'vitest'
import { createBus, createEvent, type TransportEvents } from '@bus/core'
import { memoryMedium, memoryTransport } from '@bus/core/memory'
import {
  collector,
  SimulatedClock,
  StubTransport,
  stateOf,
  until,
  type StubFeed,
} from '@bus/test-support'
import { transportPool } from '../src/pool.ts'

const event = (n: number, source = 's') => createEvent('a', n, { id: `e${n}`, source })

function pair(state: 'ready' | 'idle' | 'backoff' = 'ready') {
  const [one, two] = [new StubTransport('one', state), new StubTransport('two', state)]
  const pool = transportPool({ transports: [one, two] })
  onTestFinished(() => pool.close())
  return { one, two, pool }
}

const feedOf = ({ feeds }: StubTransport): StubFeed => feeds[0] as StubFeed

describe('a subscription over several transports', () => {
  test('delivers once what more than one brings, and settles each where it came from', () => {
    const { one, two, pool } = pair()
    const tokens: number[] = []
    const seen: unknown[] = []
    const feed = pool.subscribe(['a'], {
      deliver: ({ payload }, token) => {
        seen.push(payload)
        return tokens.push(token) < 2
      },
    })
    expect(feedOf(one).sink.deliver(event(1), 11)).toBe(true)
    expect(feedOf(two).sink.deliver(event(1), 21)).toBe(true)
    expect(feedOf(two).sink.deliver(event(2), 22)).toBe(false)
    // The same again over the same way: it may not have been handled.
    feedOf(one).sink.deliver(event(1), 12)
    expect(seen).toEqual([1, 2, 1])
    expect([feedOf(one).settled, feedOf(two).settled]).toEqual([[], [21]])
    for (const token of tokens) feed.settle(token)
    feed.settle(99)
    expect([feedOf(one).settled, feedOf(two).settled]).toEqual([
      [11, 12],
      [21, 22],
    ])
    feed.ready()
    expect([feedOf(one).readies, feedOf(two).readies]).toEqual([1, 1])
  })

  test('does not bring back our own events over another member, unless all echo', async () => {
    const { one, two, pool } = pair()
    const sink = collector()
    pool.subscribe([], sink)
    await pool.publish(event(1))
    feedOf(two).sink.deliver(event(1), 1)
    expect([sink.events, feedOf(two).settled]).toEqual([[], [1]])
    for (const stub of [one, two]) stub.capabilities = { ...stub.capabilities, echo: true }
    await pool.publish(event(2))
    feedOf(two).sink.deliver(event(2), 2)
    expect(sink.events).toHaveLength(1)
  })

  test('is live when it is so with every member that is ready', async () => {
    const { one, two, pool } = pair()
    for (const stub of [one, two]) stub.isQuick = false
    const feed = pool.subscribe(['a'], collector())
    feedOf(one).goLive()
    expect(await stateOf(feed.live)).toBe('pending')
    two.become('backoff')
    await feed.live
  })

  test('goes on when one member refuses it, and rejects when all do', async () => {
    const { one, two, pool } = pair()
    for (const stub of [one, two]) stub.isQuick = false
    const errors: TransportEvents['error'][] = []
    pool.on('error', (notice) => void errors.push(notice))
    const feed = pool.subscribe(['a'], collector())
    const refused = new Error('not you')
    feedOf(one).refuse(refused)
    await until(() => errors.length === 1)
    expect(errors).toEqual([{ kind: 'subscription', error: refused }])
    feedOf(two).refuse(refused)
    await expect(feed.live).rejects.toBe(refused)
  })

  test('ends with all members, and gets nothing after that', async () => {
    const { one, two, pool } = pair()
    const sink = collector()
    const feed = pool.subscribe(['a'], sink)
    await feed.unsubscribe()
    await feed.unsubscribe()
    expect([feedOf(one).hasEnded, feedOf(two).hasEnded]).toEqual([true, true])
    expect(feedOf(one).sink.deliver(event(1), 1)).toBe(true)
    expect(sink.events).toEqual([])
    expect(() => pool.subscribe(['not a pattern'], sink)).toThrow('pattern')
  })
})

describe('several transports as one', () => {
  test('connect together, and one is enough', async () => {
    const { one, two, pool } = pair('idle')
    one.isRefused = true
    await pool.connect()
    expect([pool.status.state, two.connects > 0]).toEqual(['ready', true])
    await pool.connect()
    const none = pair('idle')
    for (const stub of [none.one, none.two]) stub.isRefused = true
    await expect(none.pool.connect()).rejects.toMatchObject({
      code: 'no-connections',
      cause: { errors: [{ code: 'connection' }, { code: 'connection' }] },
    })
    await expect(none.pool.connect({ signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    })
  })

  test('have the status of the best, and tell it when it changes', () => {
    const { one, two, pool } = pair()
    const told: string[] = []
    pool.on('status', ({ status, previous }) => void told.push(`${previous.state}→${status.state}`))
    one.become('backoff')
    expect([pool.status.state, told]).toEqual(['ready', []])
    two.become('connecting')
    one.become('ready')
    expect(told).toEqual(['ready→connecting', 'connecting→ready'])
  })

  test('pass on what each of them tells', () => {
    const { one, pool } = pair()
    const told: unknown[] = []
    pool.on('gap', (gap) => void told.push(gap))
    pool.on('open', (open) => void told.push(open))
    const gap = { from: 1, to: 2, reason: 'slow', patterns: ['a'] } as const
    one.tell('gap', gap)
    one.tell('open', { generation: 2, reconnected: true, protocol: 'p' })
    expect(told).toEqual([gap, { generation: 2, reconnected: true, protocol: 'p' }])
  })

  test('drain what is under way, then each member, and say what was left', async () => {
    const { one, two, pool } = pair()
    let answer: () => void = () => {}
    one.onPublish = ({ id }) =>
      new Promise((resolve) => {
        answer = () => resolve({ id, status: 'confirmed', attempts: 1 })
      })
    const publishing = pool.publish(event(1))
    const drained = pool.drain()
    await expect(pool.publish(event(2))).rejects.toMatchObject({ code: 'draining' })
    expect([await stateOf(drained), one.closes, pool.status.state]).toEqual([
      'pending',
      0,
      'draining',
    ])
    answer()
    await publishing
    expect(await drained).toEqual({ unsent: ['left by one', 'left by two'], unhandled: 0 })
    expect([one.closes > 0, two.closes > 0, pool.status.state]).toEqual([true, true, 'closed'])
    expect(await pool.drain()).toEqual({ unsent: [], unhandled: 0 })
  })

  test('name in the report what still waits for a member when the time is up', async () => {
    const { pool } = pair('backoff')
    const publishing = pool.publish(event(1))
    const report = await pool.drain({ timeoutMs: 0 })
    expect(report.unsent).toEqual(['e1', 'left by one', 'left by two'])
    await expect(publishing).rejects.toMatchObject({ outcome: 'not-sent' })
  })

  test('close together, leave no listener, and take nothing more', async () => {
    const { one, two, pool } = pair()
    const told: string[] = []
    pool.on('status', ({ status }) => void told.push(status.state))
    pool.subscribe(['a'], collector())
    await pool.close()
    await pool.close()
    expect([one.closes, two.closes, one.listeners, two.listeners]).toEqual([1, 1, 0, 0])
    expect(told).toEqual(['closed'])
    expect(feedOf(one).hasEnded).toBe(true)
    await expect(pool.publish(event(1))).rejects.toMatchObject({ code: 'closed' })
    await expect(pool.connect()).rejects.toMatchObject({ code: 'closed' })
    await expect(pool.subscribe(['a'], collector()).live).rejects.toMatchObject({ code: 'closed' })
    expect(pool.emit(event(1))).toBe(false)
  })

  test('serve a bus like any transport', async () => {
    const medium = memoryMedium()
    const members = [memoryTransport({ medium }), memoryTransport({ medium })]
    // Equally fast, whatever the machine does: a faster member would get more.
    const clock = new SimulatedClock()
    await using bus = createBus({ transport: transportPool({ transports: members, clock }) })
    await using other = createBus({ transport: memoryTransport({ medium }) })
    const [mine, theirs]: [unknown[], unknown[]] = [[], []]
    await bus.subscribe('order.*', ({ payload }) => void mine.push(payload))
    await other.subscribe('order.*', ({ payload }) => void theirs.push(payload))
    for (let n = 0; n < 20; n++) await bus.publish('order.created', n)
    await other.publish('order.paid', 'theirs')
    const numbers = Array.from({ length: 20 }, (_, n) => n)
    expect(mine).toEqual([...numbers, 'theirs'])
    expect(theirs).toEqual([...numbers, 'theirs'])
    expect(members.map((member) => member.backpressureStats().sent)).toEqual([10, 10])
    expect(await bus.health()).toMatchObject({ status: 'up' })
  })
})

test('connecting with a signal that is aborted rejects, and starts nothing', async () => {
  const { one, pool } = pair('idle')
  const signal = AbortSignal.abort(new Error('why'))
  await expect(pool.connect({ signal })).rejects.toMatchObject({
    code: 'aborted',
    cause: { message: 'why' },
  })
  expect([one.status.state, pool.status.state]).toEqual(['idle', 'idle'])
})
