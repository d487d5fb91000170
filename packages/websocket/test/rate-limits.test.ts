import { RateLimitError, createBus, createEvent, type Event, type RateLimitNotice } from '@bus/core'
import type { MockServer } from '@bus/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { RateLimiter, costs, type RateLimiterOptions } from '@bus/rate-limit'
import { busV1, type WebSocketTransport, type WebSocketTransportOptions } from '../src/index.ts'
import { FakeClock } from './fake-clock.ts'
import {
  collect,
  cut,
  frameOf,
  leavesNothing,
  numbered,
  only,
  record,
  resources,
  serve,
  transportTo,
  until,
} from './harness.ts'
import { confirm, ev, startLiteralHub } from './literal-hub.ts'

type RateLimit = RateLimiterOptions<Event>

/** The types of the events that a server got, in order. */
function typesOn(server: MockServer): string[] {
  return server.received.map(({ text }) => (JSON.parse(text) as { event_type: string }).event_type)
}

/** A connected transport whose time stands still until the test moves it. */
async function limited(rateLimit: RateLimit, options: Omit<WebSocketTransportOptions, 'url'> = {}) {
  const server = await serve()
  const clock = new FakeClock()
  const limiter = new RateLimiter({ ...rateLimit, clock })
  onTestFinished(() => limiter.close())
  const transport = transportTo(server, { admission: limiter, clock, ...options })
  const notices: RateLimitNotice[] = []
  transport.on('rate-limit', (notice) => notices.push(notice))
  await transport.connect()
  return { server, clock, limiter, transport, notices }
}

/** Publishes events of these types and notes the ends in their order. */
function publishAll(transport: WebSocketTransport, types: readonly string[]) {
  const ended: string[] = []
  const refused = new Map<string, RateLimitError>()
  for (const type of types) {
    transport.publish(createEvent(type, null)).then(
      () => ended.push(type),
      (error: RateLimitError) => refused.set(type, error),
    )
  }
  return { ended, refused }
}

describe('events that may not be sent yet', () => {
  test('are sent at the rate, in order, and their publishes resolve in that order', async () => {
    const server = await serve()
    const limiter = new RateLimiter({ capacity: 3, refill: 1, intervalMs: 20 })
    const transport = transportTo(server, { admission: limiter })
    await transport.connect()
    const since = performance.now()
    const types = Array.from({ length: 10 }, (_, n) => `n.${n}`)
    const { ended } = publishAll(transport, types)
    await until(() => ended.length === 10, 'all are sent')
    // Three at once, each other after another 20 ms at the earliest.
    expect(performance.now() - since).toBeGreaterThan(7 * 20 - 1)
    await server.waitUntil(() => server.received.length === 10)
    expect([typesOn(server), ended]).toEqual([types, types])
    expect(limiter).toMatchObject({ waiting: 0, pressure: 'none' })
  })

  test('wait for their tokens, and no timer is left when none waits', async () => {
    const { server, clock, transport, limiter } = await limited({
      capacity: 2,
      refill: 1,
      intervalMs: 100,
    })
    const idle = clock.pending
    const { ended } = publishAll(transport, ['a', 'b', 'c'])
    await until(() => ended.length === 2, 'two are sent')
    expect(clock.pending).toBe(idle + 1)
    clock.advance(99)
    expect(limiter.waiting).toBe(1)
    clock.advance(1)
    await until(() => ended.length === 3, 'the third is sent')
    expect(typesOn(server)).toEqual(['a', 'b', 'c'])
    expect(clock.pending).toBe(idle)
  })

  test('are visible to their publisher: a notice says how long they wait, and the transport how many', async () => {
    const { transport, limiter, notices, clock } = await limited({
      capacity: 1,
      refill: 1,
      intervalMs: 100,
      maxQueue: 8,
    })
    expect(limiter).toMatchObject({
      tokens: 1,
      waiting: 0,
      pressure: 'none',
      suggestedDelayMs: 0,
    })
    const { ended } = publishAll(transport, ['a', 'b', 'c', 'd', 'e'])
    await until(() => notices.length === 4, 'the notices')
    expect(notices).toMatchObject([
      { action: 'queued', event: { type: 'b' }, cost: 1, retryAfterMs: 100 },
      { action: 'queued', event: { type: 'c' }, cost: 1, retryAfterMs: 200 },
      { action: 'queued', event: { type: 'd' }, cost: 1, retryAfterMs: 300 },
      { action: 'queued', event: { type: 'e' }, cost: 1, retryAfterMs: 400 },
    ])
    expect(limiter).toMatchObject({ waiting: 4, pressure: 'medium' })
    expect(limiter.suggestedDelayMs).toBe(500)
    for (let n = 2; n <= 5; n++) {
      clock.advance(100)
      await until(() => ended.length === n, `${n} are sent`)
    }
    expect(notices).toHaveLength(4)
  })

  test('are visible through the bus as well', async () => {
    const { transport } = await limited({ capacity: 1, refill: 1, intervalMs: 60_000 })
    const bus = createBus({ transport })
    onTestFinished(() => bus.close())
    const told: string[] = []
    bus.on('rate-limit', ({ action, event }) => told.push(`${action} ${event.type}`))
    bus.emit('a', 1)
    bus.emit('b', 1)
    await until(() => told.length === 1, 'the notice')
    expect(told).toEqual(['queued b'])
  })

  test('go by priority, and among equals in order', async () => {
    const { server, clock, transport } = await limited({
      capacity: 1,
      refill: 1,
      intervalMs: 10,
      priority: ({ type }) => (type.startsWith('cancel') ? 1 : 0),
    })
    const types = ['order.1', 'order.2', 'cancel.1', 'order.3', 'cancel.2']
    const { ended } = publishAll(transport, types)
    for (let n = 1; n <= 5; n++) {
      await until(() => ended.length === n, `${n} are sent`)
      clock.advance(10)
    }
    const expected = ['cancel.1', 'cancel.2', 'order.1', 'order.2', 'order.3']
    await server.waitUntil(() => server.received.length === 5)
    expect([typesOn(server), ended]).toEqual([expected, expected])
  })

  test('are passed by one that is more urgent and comes later', async () => {
    const { server, clock, transport } = await limited({
      capacity: 1,
      refill: 1,
      intervalMs: 10,
      priority: ({ payload }) => (payload as { n: number }).n,
    })
    const { ended } = publishAll(transport, [])
    const publish = (type: string, n: number): void => {
      transport.publish(createEvent(type, { n })).then(
        () => ended.push(type),
        () => {},
      )
    }
    publish('first', 0)
    publish('second', 0)
    await until(() => ended.length === 1, 'the first is sent')
    publish('urgent', 9)
    for (let n = 2; n <= 3; n++) {
      clock.advance(10)
      await until(() => ended.length === n, `${n} are sent`)
    }
    expect(typesOn(server)).toEqual(['first', 'urgent', 'second'])
  })

  test('survive broken links, none lost and none twice, and still go at the rate', async () => {
    const server = await serve()
    const limiter = new RateLimiter({ capacity: 2, refill: 1, intervalMs: 15 })
    const transport = transportTo(server, { admission: limiter })
    await transport.connect()
    const since = performance.now()
    const types = Array.from({ length: 12 }, (_, n) => `n.${n}`)
    const { ended, refused } = publishAll(transport, types)
    for (const sent of [3, 7]) {
      await until(() => ended.length >= sent, `${sent} are sent`)
      await cut(server, transport)
    }
    await until(() => ended.length + refused.size === 12, 'all ended')
    expect(performance.now() - since).toBeGreaterThan(10 * 15 - 1)
    expect(ended).toEqual(types)
    // What was handed to a link that broke may not have arrived; what arrived is in order and there once.
    const arrived = typesOn(server)
    expect(arrived).toEqual(types.filter((type) => arrived.includes(type)))
  })

  test('that were published without a link go at the rate once there is one', async () => {
    const server = await serve()
    server.faults.refuse(503, { times: 2 })
    const limiter = new RateLimiter({ capacity: 2, refill: 1, intervalMs: 20 })
    const transport = transportTo(server, { admission: limiter })
    const { ended } = publishAll(transport, ['a', 'b', 'c', 'd'])
    await until(() => ended.length === 4, 'all are sent')
    expect(ended).toEqual(['a', 'b', 'c', 'd'])
    expect(limiter.waiting).toBe(0)
  })

  test('are drained in time, and what is not is reported by its id', async () => {
    const { clock, transport } = await limited({ capacity: 1, refill: 1, intervalMs: 100 })
    const events = numbered(3)
    const ends = events.map((event) => transport.publish(event).catch((error: unknown) => error))
    await ends[0]
    const drained = transport.drain({ timeoutMs: 150 })
    clock.advance(100)
    await ends[1]
    clock.advance(50)
    expect(await drained).toEqual({ unsent: [events[2]?.id], unhandled: 0 })
    expect(await ends[2]).toMatchObject({ code: 'closed', outcome: 'not-sent' })
    expect(clock.pending).toBe(0)
  })

  test('leave no timer and no socket when the transport closes', async () => {
    const before = resources()
    const server = await serve()
    const limiter = new RateLimiter({ capacity: 1, refill: 1, intervalMs: 60_000 })
    const transport = transportTo(server, { admission: limiter })
    const { ended, refused } = publishAll(transport, ['a', 'b', 'c'])
    await until(() => ended.length === 1, 'the first is sent')
    const waiting = limiter.acquire().catch((error: unknown) => error)
    await transport.close()
    expect(limiter.waiting).toBe(1)
    limiter.close()
    expect(await waiting).toMatchObject({ code: 'closed' })
    expect([...refused.values()]).toMatchObject([{ code: 'closed' }, { code: 'closed' }])
    await server.close()
    await leavesNothing(before)
  })

  test('that are given up by their publishers pay nothing, and hold nothing back', async () => {
    const { clock, transport, server, limiter } = await limited({
      capacity: 3,
      refill: 1,
      intervalMs: 100,
    })
    await transport.publish(createEvent('a', 1))
    await transport.publish(createEvent('b', 1))
    const costly = limiter.acquire(3)
    const stop = new AbortController()
    const aborted = transport.publish(createEvent('c', 1), { signal: stop.signal })
    const late = transport.publish(createEvent('d', 1), { timeoutMs: 50 })
    const { ended } = publishAll(transport, ['e'])
    expect(limiter.waiting).toBe(4)
    stop.abort()
    await expect(aborted).rejects.toMatchObject({ code: 'aborted', outcome: 'not-sent' })
    clock.advance(50)
    await expect(late).rejects.toMatchObject({ code: 'timeout', outcome: 'not-sent' })
    expect(limiter.waiting).toBe(2)
    clock.advance(150)
    await costly
    clock.advance(100)
    await until(() => ended.length === 1, 'e is sent')
    // The server reads what was sent a little later.
    await until(() => typesOn(server).length === 3, 'the server has it')
    expect(typesOn(server)).toEqual(['a', 'b', 'e'])
    expect(limiter).toMatchObject({ waiting: 0, tokens: 0 })
  })

  test('that the full queue drops pay nothing', async () => {
    const { clock, transport, server, limiter } = await limited(
      { capacity: 1, refill: 1, intervalMs: 100 },
      { queue: { capacity: 2, strategy: 'drop-oldest' } },
    )
    await transport.publish(createEvent('a', 1))
    const { ended } = publishAll(transport, ['b', 'c', 'd', 'e'])
    expect(limiter.waiting).toBe(2)
    for (let n = 1; n <= 2; n++) {
      clock.advance(100)
      await until(() => ended.length === n, `${n} are sent`)
    }
    expect(typesOn(server)).toEqual(['a', 'd', 'e'])
    expect(limiter).toMatchObject({ waiting: 0, tokens: 0 })
  })
})

describe('events that may not be sent at all', () => {
  test('reject their publish with the time after which it would pass, and are reported', async () => {
    const { clock, transport, notices, limiter } = await limited({
      capacity: 2,
      refill: 1,
      intervalMs: 100,
      onLimit: 'reject',
    })
    const { ended, refused } = publishAll(transport, ['a', 'b', 'c'])
    await until(() => ended.length + refused.size === 3, 'all ended')
    expect([ended, [...refused.keys()]]).toEqual([['a', 'b'], ['c']])
    expect(refused.get('c')).toBeInstanceOf(RateLimitError)
    expect(refused.get('c')).toMatchObject({
      code: 'rate-limited',
      reason: 'limited',
      cost: 1,
      retryAfterMs: 100,
      retryable: true,
      outcome: 'not-sent',
    })
    expect(notices).toMatchObject([
      { action: 'rejected', event: { type: 'c' }, cost: 1, retryAfterMs: 100 },
    ])
    expect(limiter.pressure).toBe('high')
    clock.advance(100)
    await transport.publish(createEvent('c', null))
  })

  test('are refused while there is no link as well, so that the next link is not flooded', async () => {
    const server = await serve()
    server.faults.hangUpgrade()
    const transport = transportTo(server, {
      admission: new RateLimiter({ capacity: 2, onLimit: 'reject' }),
    })
    const { refused } = publishAll(transport, ['a', 'b', 'c'])
    await until(() => refused.size === 1, 'one is refused')
    expect([...refused.keys()]).toEqual(['c'])
  })

  test('are those behind as many as may wait', async () => {
    const { clock, transport, server } = await limited({
      capacity: 1,
      refill: 1,
      intervalMs: 10,
      maxQueue: 2,
    })
    const { ended, refused } = publishAll(transport, ['a', 'b', 'c', 'd'])
    await until(() => refused.size === 1, 'one is refused')
    expect(refused.get('d')).toMatchObject({ reason: 'queue-full', retryAfterMs: 30 })
    for (let n = 2; n <= 3; n++) {
      clock.advance(10)
      await until(() => ended.length === n, `${n} are sent`)
    }
    expect(typesOn(server)).toEqual(['a', 'b', 'c'])
  })

  test('a cost above the capacity is refused at once, with or without a link', async () => {
    const { transport, notices } = await limited({
      capacity: 5,
      cost: ({ payload }) => payload as number,
    })
    const offline = transportTo(await serve(), {
      admission: new RateLimiter({ capacity: 5, cost: () => 6 }),
    })
    for (const refused of [
      transport.publish(createEvent('a', 6)),
      offline.publish(createEvent('a', 6)),
    ]) {
      await expect(refused).rejects.toMatchObject({
        reason: 'too-expensive',
        cost: 6,
        retryAfterMs: Infinity,
        retryable: false,
      })
    }
    await transport.publish(createEvent('a', 5))
    expect(notices).toMatchObject([{ action: 'rejected', retryAfterMs: Infinity }])
  })

  test('a cost function that says rubbish or throws rejects the publish and is reported, and the next event goes', async () => {
    const answers = [NaN, -1, 'much', undefined, new Error('no table'), 1] as const
    const cost = ({ payload }: Event): number => {
      const answer = answers[payload as number]
      if (answer instanceof Error) throw answer
      return answer as number
    }
    const { transport, limiter } = await limited({ capacity: 5, cost })
    const notices = record(transport)
    for (const n of [0, 1, 2, 3, 4]) {
      await expect(transport.publish(createEvent('a', n))).rejects.toMatchObject({
        code: 'rate-limited',
        reason: 'invalid-cost',
      })
    }
    expect(only(notices, 'error').map(({ kind }) => kind)).toEqual(
      Array.from({ length: 5 }, () => 'rate-limit'),
    )
    await transport.publish(createEvent('a', 5))
    expect(limiter.tokens).toBe(4)
  })

  test('a priority that is no number rejects as well', async () => {
    const { transport } = await limited({ capacity: 5, priority: () => NaN })
    await expect(transport.publish(createEvent('a', 1))).rejects.toMatchObject({
      reason: 'invalid-cost',
    })
  })

  test('of an emit are reported as undeliverable', async () => {
    const { transport } = await limited({ capacity: 1, onLimit: 'reject' })
    const notices = record(transport)
    transport.emit(createEvent('a', 1))
    transport.emit(createEvent('b', 1))
    expect(only(notices, 'undeliverable')).toMatchObject([
      { reason: 'rejected', event: { type: 'b' }, error: { code: 'rate-limited' }, attempts: 0 },
    ])
  })

  test('with a refill of zero are those beyond what the bucket held: no publish waits for ever', async () => {
    const { transport } = await limited({ capacity: 2, refill: 0 })
    const { ended, refused } = publishAll(transport, ['a', 'b', 'c'])
    await until(() => ended.length + refused.size === 3, 'all ended')
    expect(refused.get('c')).toMatchObject({ reason: 'limited', retryAfterMs: Infinity })
  })
})

describe('what is not limited', () => {
  const SPENT = { capacity: 1, refill: 1, intervalMs: 3_600_000 }

  test('pings, their answers, what makes a link ready, and heartbeats of the application', async () => {
    const server = await serve()
    const limiter = new RateLimiter(SPENT)
    const transport = transportTo(server, {
      admission: limiter,
      heartbeat: { intervalMs: 10, timeoutMs: 10 },
      onOpen: () => ['hello'],
      applicationHeartbeat: { name: 'own', intervalMs: 10, onTick: () => 'alive' },
    })
    await transport.publish(createEvent('a', 1))
    const { ended } = publishAll(transport, ['b'])
    await until(() => (server.connections[0]?.pings ?? 0) >= 3, 'three pings')
    await server.waitForMessage('alive')
    server.connections[0]?.ping('still there?')
    await until(() => (server.connections[0]?.pongs ?? 0) >= 1, 'a pong')
    await cut(server, transport)
    await server.waitForMessage('hello', { connection: 1 })
    await server.waitForMessage('alive', { connection: 1 })
    expect([ended, limiter.waiting]).toEqual([[], 1])
  })

  test('what is received', async () => {
    const { server, transport } = await limited(SPENT)
    const all = await collect(transport, '>')
    await transport.publish(createEvent('a', 1))
    for (let n = 0; n < 50; n++) server.inject(frameOf('b', n))
    await until(() => all.events.length === 50, 'all came')
  })

  test('acknowledgements on bus.v1', async () => {
    const hub = await startLiteralHub()
    const transport = transportTo(hub, { protocol: busV1(), admission: new RateLimiter(SPENT) })
    const sink = await collect(transport, '>')
    await transport.publish(createEvent('a', 1))
    const { ended } = publishAll(transport, ['b'])
    hub.say(ev(1, 'x'), ev(2, 'y'))
    await until(() => sink.events.length === 2, 'both came')
    transport.on('rate-limit', () => {})
    sink.feed.settle(1)
    sink.feed.settle(2)
    expect((await hub.hears('ack')).at(-1)).toBe('2')
    expect(ended).toEqual([])
  })

  test('anything without the option', async () => {
    const transport = transportTo(await serve())
    const { ended } = publishAll(
      transport,
      Array.from({ length: 500 }, (_, n) => `n.${n}`),
    )
    await until(() => ended.length === 500, 'all are sent')
  })
})

describe('on bus.v1', () => {
  test('events are sent at the rate and confirmed in order', async () => {
    const hub = await startLiteralHub()
    const clock = new FakeClock()
    const limiter = new RateLimiter({ capacity: 2, refill: 1, intervalMs: 100, clock })
    const transport = transportTo(hub, { protocol: busV1(), admission: limiter, clock })
    await transport.connect()
    const { ended } = publishAll(transport, ['a', 'b', 'c', 'd'])
    await until(() => ended.length === 2, 'two are confirmed')
    expect(hub.heard('pub')).toHaveLength(2)
    for (let n = 3; n <= 4; n++) {
      clock.advance(100)
      await until(() => ended.length === n, `${n} are confirmed`)
    }
    expect(ended).toEqual(['a', 'b', 'c', 'd'])
  })

  test('what is sent again is counted again', async () => {
    const hub = await startLiteralHub({
      answer: (line, index) => (index === 0 ? undefined : confirm(line)),
    })
    const clock = new FakeClock()
    const limiter = new RateLimiter({ capacity: 2, refill: 1, intervalMs: 100, clock })
    const reconnect = { backoff: () => 0 }
    const transport = transportTo(hub, { protocol: busV1(), admission: limiter, clock, reconnect })
    await transport.connect()
    const { ended } = publishAll(transport, ['a', 'b'])
    await hub.hears('pub', 2)
    await cut(hub.server, transport)
    clock.advance(0)
    await hub.welcomed(2)
    await until(() => transport.status.state === 'ready', 'ready again')
    expect(hub.heard('rep')).toEqual([])
    for (let n = 1; n <= 2; n++) {
      clock.advance(100)
      await until(() => ended.length === n, `${n} are confirmed`)
      expect(hub.heard('rep')).toHaveLength(n)
    }
    expect(limiter).toMatchObject({ waiting: 0, tokens: 0 })
  })

  test('events keep their tickets when the server does not speak it', async () => {
    const server = await serve()
    const clock = new FakeClock()
    const limiter = new RateLimiter({ capacity: 1, refill: 1, intervalMs: 100, clock })
    const transport = transportTo(server, { protocol: busV1(), admission: limiter, clock })
    const { ended } = publishAll(transport, ['a', 'b'])
    await until(() => ended.length === 1, 'the first is sent')
    expect(limiter.waiting).toBe(1)
    clock.advance(100)
    await until(() => ended.length === 2, 'the second is sent')
    expect(typesOn(server)).toEqual(['a', 'b'])
  })
})

describe('the modes', () => {
  test('always-allow sends everything', async () => {
    const { transport } = await limited({ capacity: 1, refill: 0, mode: 'always-allow' })
    const { ended } = publishAll(transport, ['a', 'b', 'c'])
    await until(() => ended.length === 3, 'all are sent')
  })

  test('always-queue makes everything wait, and then sends it', async () => {
    const { clock, transport, notices, server } = await limited({
      capacity: 5,
      intervalMs: 100,
      mode: 'always-queue',
    })
    const { ended } = publishAll(transport, ['a', 'b'])
    await until(() => notices.length === 2, 'the notices')
    // Everything that this turn adds is offered to the socket at its end.
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(99)
    expect([ended, notices.map(({ action }) => action)]).toEqual([[], ['queued', 'queued']])
    for (let n = 1; n <= 2; n++) {
      clock.advance(100)
      await until(() => ended.length === n, `${n} are sent`)
    }
    expect(typesOn(server)).toEqual(['a', 'b'])
  })

  test('always-reject refuses everything', async () => {
    const { transport, server } = await limited({ capacity: 5, mode: 'always-reject' })
    await expect(transport.publish(createEvent('a', 1))).rejects.toMatchObject({
      code: 'rate-limited',
    })
    expect(server.received).toEqual([])
  })
})

test('other messages can share the tokens, and wait in one line with the events', async () => {
  const { server, clock, transport, limiter } = await limited({
    capacity: 3,
    refill: 1,
    intervalMs: 100,
  })
  expect(limiter.tryAcquire(2)).toBe(true)
  const { ended } = publishAll(transport, ['a', 'b'])
  await until(() => ended.length === 1, 'the first is sent')
  const order: string[] = []
  const urgent = limiter.acquire(1, { priority: 1 }).then(() => order.push('urgent'))
  expect(limiter.tryAcquire(1)).toBe(false)
  clock.advance(100)
  await urgent
  await until(() => server.received.length === 1, 'the first arrives')
  expect(typesOn(server)).toEqual(['a'])
  clock.advance(100)
  await until(() => ended.length === 2, 'the second is sent')
  await expect(limiter.acquire(4)).rejects.toBeInstanceOf(RateLimitError)
})

test('requests to an exchange are counted by its own costs', async () => {
  const { server, clock, transport, limiter } = await limited({
    capacity: 20,
    refill: 10,
    intervalMs: 1_000,
    cost: costs.deribit,
  })
  const request = (method: string): Event => createEvent('request', { method })
  await transport.publish(request('private/buy'))
  await transport.publish(request('public/ticker'))
  expect(limiter.tokens).toBe(4)
  const third = transport.publish(request('private/get_positions'))
  clock.advance(99)
  await server.waitUntil(() => server.received.length === 2)
  expect(limiter.waiting).toBe(1)
  clock.advance(1)
  await third
  expect(limiter.tokens).toBe(0)
})

test('with priorities a transport promises no order', async () => {
  const server = await serve()
  const plain = transportTo(server, { admission: new RateLimiter({ capacity: 1 }) })
  const urgent = transportTo(server, {
    admission: new RateLimiter({ capacity: 1, priority: () => 1 }),
  })
  expect([plain.capabilities.ordering, urgent.capabilities.ordering]).toEqual([
    'per-publisher',
    'none',
  ])
})
