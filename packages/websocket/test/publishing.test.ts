import { createEvent, type Undeliverable } from '@bus/core'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { cut, numbered, serve, transportTo, until } from './harness.ts'

const idsOf = (messages: readonly { readonly data: unknown }[]): string[] =>
  messages.map((message) => (JSON.parse(String(message.data)) as { id: string }).id)

describe('publishing while the link breaks', () => {
  test('sends what was not taken over again, first and in order, so that every publish has an outcome and nothing that was still ours is lost [F50]', async () => {
    const server = await serve()
    const transport = transportTo(server, {
      queue: { capacity: 100_000 },
      maxAttempts: 1_000,
      reconnect: { backoff: () => 1 },
    })
    const events = numbered(5_000)
    const outcomes: Promise<unknown>[] = []
    let cuts = 0
    for (const [n, event] of events.entries()) {
      outcomes.push(transport.publish(event))
      if (n % 250 === 249) {
        // Some of these meet the link in the middle of a write, some while it is down.
        cuts += server.live.length > 0 ? 1 : 0
        server.faults.reset()
        await until(() => transport.status.state === 'ready', 'ready again')
      }
    }
    await Promise.all(outcomes)
    expect(cuts).toBeGreaterThanOrEqual(15)
    const stats = transport.backpressureStats()
    expect(stats).toMatchObject({ received: 5_000, sent: 5_000, dropped: 0, rejected: 0, size: 0 })
    // What the kernel held when a link broke is gone: the plain wire cannot tell. Order holds for the rest.
    const numbers = server.received.map(
      (message) => (JSON.parse(String(message.data)) as { payload: { n: number } }).payload.n,
    )
    const firsts = [...new Set(numbers)]
    expect(firsts).toEqual(firsts.toSorted((a, b) => a - b))
  })

  test('keeps events that are published during an outage, and sends them in order once there is a link', async () => {
    const server = await serve()
    const transport = transportTo(server)
    await transport.connect()
    const events = numbered(50)
    let published: Promise<unknown>[] = []
    await server.restart({
      whileDown: async () => {
        await until(() => transport.status.state === 'backoff', 'the loss is seen')
        published = events.map((event) => transport.publish(event))
      },
    })
    await Promise.all(published)
    await until(() => server.received.length === 50, 'all arrive')
    expect(idsOf(server.received)).toEqual(events.map((event) => event.id))
  })

  test('rejects at once without a link when so configured, as not sent', async () => {
    const server = await serve()
    const transport = transportTo(server, { whenDisconnected: 'reject' })
    await expect(transport.publish(createEvent('a', 1))).rejects.toMatchObject({
      code: 'disconnected',
      outcome: 'not-sent',
      retryable: true,
    })
    await until(() => transport.status.state === 'ready', 'it connects all the same')
    await expect(transport.publish(createEvent('a', 2))).resolves.toMatchObject({ status: 'sent' })
  })

  test('gives an event up after its attempts, with a reason that says so [F45]', async () => {
    const server = await serve()
    server.faults.stall()
    const transport = transportTo(server, {
      maxAttempts: 2,
      maxMessageBytes: 64_000_000,
      queue: { maxBytes: 64_000_000 },
    })
    const letters: Undeliverable[] = []
    transport.on('undeliverable', (notice) => letters.push(notice))
    // More than the kernel's buffers take, so that the frame stays with us on every link.
    const outcome = transport.publish(createEvent('bulk', 'x'.repeat(30_000_000)))
    outcome.catch(() => {})
    for (let link = 1; link <= 2; link++) {
      await until(() => server.connections.length === link, 'a link')
      await until(() => transport.status.state === 'ready', 'ready')
      await nextTurn()
      await cut(server, transport)
    }
    await expect(outcome).rejects.toMatchObject({ code: 'attempts-exhausted', outcome: 'unknown' })
    expect(letters).toMatchObject([
      { reason: 'attempts-exhausted', direction: 'outbound', attempts: 2 },
    ])
  })
})

describe('a publisher that stops waiting', () => {
  test('learns that a queued event was not sent, and the event is withdrawn', async () => {
    const server = await serve()
    server.faults.hangUpgrade()
    const transport = transportTo(server)
    const abort = new AbortController()
    const publish = transport.publish(createEvent('a', 1), { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(publish).rejects.toMatchObject({
      name: 'AbortError',
      code: 'aborted',
      outcome: 'not-sent',
      cause: new Error('enough'),
    })
    expect(transport.backpressureStats()).toMatchObject({ size: 0, rejected: 1 })
  })

  test('learns it by its time limit, and its place in a full queue is given up', async () => {
    const server = await serve()
    server.faults.hangUpgrade()
    const transport = transportTo(server, { queue: { capacity: 1 } })
    const first = transport.publish(createEvent('a', 1))
    first.catch(() => {})
    const blocked = transport.publish(createEvent('a', 2), { timeoutMs: 20 })
    expect(transport.backpressureStats().waiting).toBe(1)
    await expect(blocked).rejects.toMatchObject({ code: 'timeout', outcome: 'not-sent' })
    expect(transport.backpressureStats()).toMatchObject({ waiting: 0, size: 1 })
  })

  test('leaves no listener on a signal that serves many publishes', async () => {
    const server = await serve()
    const transport = transportTo(server)
    const abort = new AbortController()
    let listeners = 0
    const signal = new Proxy(abort.signal, {
      get: (target, key) => {
        if (key === 'addEventListener') listeners++
        if (key === 'removeEventListener') listeners--
        const value: unknown = Reflect.get(target, key, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
    await Promise.all(numbered(50).map((event) => transport.publish(event, { signal })))
    expect(listeners).toBe(0)
  })
})

describe('a full outbox', () => {
  test('with block makes publishers wait, first come first served, until the link takes more [F53]', async () => {
    const server = await serve()
    server.faults.hangUpgrade({ times: 1 })
    const transport = transportTo(server, { queue: { capacity: 2 }, timeouts: { connectMs: 100 } })
    const order: number[] = []
    const all = numbered(6).map((event, n) => transport.publish(event).then(() => order.push(n)))
    expect(transport.backpressureStats()).toMatchObject({ size: 2, waiting: 4, received: 2 })
    await Promise.all(all)
    expect(order).toEqual([0, 1, 2, 3, 4, 5])
  })

  test('with drop-oldest rejects the publish of the evicted event, and keeps the order of the rest [F55]', async () => {
    const server = await serve()
    server.faults.hangUpgrade({ times: 1 })
    const transport = transportTo(server, {
      queue: { capacity: 2, strategy: 'drop-oldest' },
      timeouts: { connectMs: 100 },
    })
    const letters: Undeliverable[] = []
    transport.on('undeliverable', (notice) => letters.push(notice))
    const events = numbered(3)
    const [first, ...rest] = events.map((event) => transport.publish(event))
    await expect(first).rejects.toMatchObject({ code: 'dropped', outcome: 'not-sent' })
    await Promise.all(rest)
    await until(() => server.received.length === 2, 'the rest arrives')
    expect(idsOf(server.received)).toEqual(events.slice(1).map((event) => event.id))
    expect(letters).toMatchObject([{ reason: 'dropped', event: { id: events[0]?.id } }])
  })

  test('warns once per crossing of the threshold', async () => {
    const server = await serve()
    server.faults.hangUpgrade({ times: 1 })
    const transport = transportTo(server, {
      queue: { capacity: 10, warningThreshold: 0.5 },
      timeouts: { connectMs: 100 },
    })
    const levels: string[] = []
    transport.on('backpressure', ({ level, fillRatio }) => levels.push(`${level} ${fillRatio}`))
    await Promise.all(numbered(10).map((event) => transport.publish(event)))
    expect(levels[0]).toBe('high 0.5')
    expect(levels).toHaveLength(2)
    expect(levels[1]).toMatch(/^normal /)
  })

  test('waits while the socket itself holds too much, and goes on when the peer reads again [F48]', async () => {
    const server = await serve()
    const transport = transportTo(server, {
      queue: { capacity: 400 },
      highWaterMarkBytes: 65_536,
      maxMessageBytes: 2_000_000,
    })
    await transport.connect()
    server.faults.stall()
    const bulk = 'x'.repeat(100_000)
    const all = Array.from({ length: 300 }, () => transport.publish(createEvent('bulk', bulk)))
    await until(() => transport.backpressureStats().sent > 0, 'the kernel takes some')
    const { size } = transport.backpressureStats()
    expect(size).toBeGreaterThan(0)
    server.faults.clear()
    await Promise.all(all)
    expect(transport.backpressureStats()).toMatchObject({ sent: 300, size: 0 })
  })
})

describe('emit', () => {
  test('answers false when the queue is full, emits ready when it is not, and reports what it could not take', async () => {
    const server = await serve()
    server.faults.hangUpgrade({ times: 1 })
    const transport = transportTo(server, { queue: { capacity: 2 }, timeouts: { connectMs: 100 } })
    const refused: Undeliverable[] = []
    let ready = 0
    transport.on('undeliverable', (notice) => refused.push(notice))
    transport.on('ready', () => ready++)
    expect(transport.emit(createEvent('a', 1))).toBe(true)
    expect(transport.emit(createEvent('a', 2))).toBe(false)
    expect(transport.emit(createEvent('a', 3))).toBe(false)
    expect(refused).toMatchObject([
      { reason: 'dropped', event: { payload: 3 }, error: { code: 'queue-full' } },
    ])
    await until(() => ready === 1, 'ready is told')
    await until(() => server.received.length === 2, 'both arrive')
  })

  test('answers false when the event itself found no room, though a smaller one would, and emits ready when there is more', async () => {
    const server = await serve()
    server.faults.hangUpgrade({ times: 1 })
    const transport = transportTo(server, {
      queue: { maxBytes: 1_500 },
      timeouts: { connectMs: 100 },
    })
    const refused: Undeliverable[] = []
    let ready = 0
    transport.on('undeliverable', (notice) => refused.push(notice))
    transport.on('ready', () => ready++)
    expect(transport.emit(createEvent('a', 'x'.repeat(900)))).toBe(true)
    expect(transport.emit(createEvent('a', 'y'.repeat(900)))).toBe(false)
    expect(refused).toMatchObject([{ reason: 'dropped', error: { code: 'queue-full' } }])
    expect(transport.emit(createEvent('a', 'z'))).toBe(true)
    await until(() => ready === 1, 'ready is told')
    await until(() => server.received.length === 2, 'both arrive')
    expect(transport.emit(createEvent('a', 'y'.repeat(900)))).toBe(true)
  })

  test('reports an event that cannot be written, and the link stays up', async () => {
    const server = await serve()
    const transport = transportTo(server)
    await transport.connect()
    const refused: Undeliverable[] = []
    transport.on('undeliverable', (notice) => refused.push(notice))
    expect(transport.emit(createEvent('a', 1n))).toBe(false)
    expect(refused).toMatchObject([{ reason: 'rejected', error: { code: 'serialization' } }])
    await expect(transport.publish(createEvent('a', 1))).resolves.toMatchObject({ status: 'sent' })
    expect(server.connections).toHaveLength(1)
  })
})

test('fixes the bytes of an event inside publish, so that later changes are not sent [F58]', async () => {
  const server = await serve()
  const transport = transportTo(server)
  const payload = { n: 1 }
  const sent = transport.publish(createEvent('a', payload))
  payload.n = 2
  await sent
  await server.waitForMessage({ payload: { n: 1 } })
})

test('refuses an event above maxMessageBytes with its size and the limit, and the link stays up [F57]', async () => {
  const server = await serve()
  const transport = transportTo(server, { maxMessageBytes: 1_000 })
  await expect(transport.publish(createEvent('a', 'x'.repeat(1_000)))).rejects.toMatchObject({
    code: 'too-large',
    limit: 1_000,
    outcome: 'not-sent',
  })
  await expect(transport.publish(createEvent('a', 'x'))).resolves.toMatchObject({ status: 'sent' })
})
