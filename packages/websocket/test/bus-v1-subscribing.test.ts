import { createBus, createEvent, type Bus, type Feed, type Sink } from '@bus/core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { busV1, type WebSocketTransport, type WebSocketTransportOptions } from '../src/index.ts'
import { collect, only, record, transportTo, until, untilStill } from './harness.ts'
import { startHub } from './hub-clients.ts'
import { confirm, ev, limitsOf, startLiteralHub } from './literal-hub.ts'

const client = (
  hub: { readonly url: string },
  options: Omit<WebSocketTransportOptions, 'url'> = {},
): WebSocketTransport => transportTo(hub, { protocol: busV1(), ...options })

function busOf(transport: WebSocketTransport, source?: string): Bus {
  const bus = createBus({ transport, ...(source === undefined ? {} : { source }) })
  onTestFinished(() => bus.close())
  return bus
}

/** Keeps the tokens, for the test to settle. */
class Holder implements Sink {
  readonly tokens: number[] = []
  hasRoom = true

  deliver(_event: unknown, token: number): boolean {
    this.tokens.push(token)
    return this.hasRoom
  }
}

/** Subscribes and waits until it is live. */
async function hold(
  transport: WebSocketTransport,
  pattern: string,
  options: Parameters<WebSocketTransport['subscribe']>[2] = {},
): Promise<Holder & { readonly feed: Feed }> {
  const sink = new Holder()
  const feed = transport.subscribe([pattern], sink, options)
  await feed.live
  return Object.assign(sink, { feed })
}

const evs = (from: number, to: number, type?: string): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => ev(from + i, from + i, type))

describe('subscribing', () => {
  test('names the subscriptions in the hello, and requests what is added later', async () => {
    const hub = await startLiteralHub()
    const transport = client(hub)
    await Promise.all([collect(transport, 'a'), collect(transport, 'b', 'a')])
    expect(hub.hellos[0]?.subs).toEqual([
      { id: 1, pattern: 'a', mode: 'alo' },
      { id: 2, pattern: 'b', mode: 'alo' },
    ])
    const late = await collect(transport, 'c.*')
    expect(hub.heard('sub')).toEqual(['3 c.* alo'])
    await late.feed.unsubscribe()
    expect(await hub.hears('unsub')).toEqual(['3'])
  })

  test('is live only when the hub says so', async () => {
    const hub = await startLiteralHub({ answer: () => undefined })
    const transport = client(hub)
    await transport.connect()
    let isLive = false
    const feed = transport.subscribe(['a'], new Holder())
    const live = feed.live.then(() => (isLive = true))
    await hub.hears('sub')
    expect(isLive).toBe(false)
    hub.say('subok 1 0')
    await live
  })

  test.each([
    ['in the hello', true],
    ['later', false],
  ])('to what the hub refuses %s rejects, and the others live', async (_when, isEarly) => {
    const hub = await startHub({
      authorize: (_who, action, name) => action === 'publish' || name !== 'secret',
    })
    const transport = client(hub)
    const notices = record(transport)
    if (!isEarly) await transport.connect()
    const refused = transport.subscribe(['secret'], new Holder())
    const taken = collect(transport, 'open')
    await expect(refused.live).rejects.toMatchObject({ code: 'rejected', message: /auth/ })
    const sink = await taken
    await transport.publish(createEvent('open', 1))
    await until(() => sink.events.length === 1, 'the event')
    expect(transport.stats().reconnects).toBe(0)
    expect(only(notices, 'error')).toEqual([])
  })

  test('to what was refused is requested under another id, because the hub has seen the first', async () => {
    const hub = await startLiteralHub({
      answer: (line) => (line === 'sub 1 a alo' ? 'subno 1 auth' : confirm(line)),
    })
    const transport = client(hub)
    await transport.connect()
    await expect(collect(transport, 'a')).rejects.toMatchObject({ code: 'rejected' })
    await collect(transport, 'a')
    expect(hub.heard('sub')).toEqual(['1 a alo', '2 a alo'])
  })

  test('ends with the link and begins again on the next', async () => {
    const hub = await startLiteralHub({
      answer: (line, index) => (index === 0 ? undefined : confirm(line)),
      welcome: ({ sid }) => ({ resumed: sid !== undefined }),
    })
    const transport = client(hub)
    await transport.connect()
    const live = collect(transport, 'a')
    await hub.hears('sub')
    hub.server.faults.reset()
    await live
    expect(hub.hellos[1]?.subs).toMatchObject([{ pattern: 'a' }])
  })
})

describe('delivery', () => {
  test('at most once is what the hub learns, and acknowledged when delivered', async () => {
    const hub = await startLiteralHub()
    const transport = client(hub)
    const sink = await hold(transport, 'a', { delivery: 'at-most-once' })
    expect(hub.hellos[0]?.subs).toEqual([{ id: 1, pattern: 'a', mode: 'amo' }])
    hub.say(...evs(1, 3, 'a'))
    expect(await hub.hears('ack')).toEqual(['3'])
    expect(sink.tokens).toHaveLength(3)
  })

  test('at least once is acknowledged when settled', async () => {
    const hub = await startLiteralHub()
    const transport = client(hub)
    const sink = await hold(transport, 'a', { delivery: 'at-least-once' })
    expect(hub.hellos[0]?.subs).toEqual([{ id: 1, pattern: 'a', mode: 'alo' }])
    hub.say(...evs(1, 3, 'a'))
    await until(() => sink.tokens.length === 3, 'all')
    sink.feed.settle(sink.tokens[0] ?? 0)
    expect(await hub.hears('ack')).toEqual(['1'])
    for (const token of sink.tokens.slice(1)) sink.feed.settle(token)
    expect((await hub.hears('ack', 2)).at(-1)).toBe('3')
  })

  test('at most once to a sink without room counts once it has room, so that memory is bounded', async () => {
    const hub = await startLiteralHub()
    const transport = client(hub)
    const sink = await hold(transport, 'a', { delivery: 'at-most-once' })
    hub.say(ev(1, 1, 'a'))
    expect(await hub.hears('ack')).toEqual(['1'])
    sink.hasRoom = false
    hub.say(...evs(2, 5, 'a'), 'mark 9')
    await until(() => sink.tokens.length === 5, 'all')
    await hub.latest.waitForClose({ timeoutMs: 40 }).catch(() => {})
    expect(hub.heard('ack')).toEqual(['1'])
    sink.hasRoom = true
    sink.feed.ready()
    expect((await hub.hears('ack', 2)).at(-1)).toBe('9')
    sink.hasRoom = false
    hub.say(ev(10, 1, 'a'))
    await until(() => sink.tokens.length === 6, 'one more')
    // Ending the subscription lets it go as well.
    await sink.feed.unsubscribe()
    expect((await hub.hears('ack', 3)).at(-1)).toBe('10')
  })

  test('of one pattern becomes at least once with the first subscription that matches so', async () => {
    const hub = await startHub()
    const transport = client(hub)
    const loose = await hold(transport, 'a', { delivery: 'at-most-once' })
    await transport.publish(createEvent('a', 1))
    await until(() => loose.tokens.length === 1, 'the first')
    const strict = await hold(transport, 'a')
    for (let n = 2; n <= 4; n++) await transport.publish(createEvent('a', n))
    await until(() => strict.tokens.length === 3 && loose.tokens.length === 4, 'all, once')
  })

  test('of one pattern is requested anew, from where the link is, when it must become more reliable', async () => {
    const hub = await startLiteralHub()
    const transport = client(hub)
    await hold(transport, 'a', { delivery: 'at-most-once' })
    hub.say(...evs(1, 7, 'a'))
    await hub.hears('ack')
    await hold(transport, 'a')
    expect(hub.heard('unsub')).toEqual(['1'])
    expect(hub.heard('sub')).toEqual(['2 a alo 7'])
    await hold(transport, 'a')
    expect(hub.heard('sub')).toHaveLength(1)
  })
})

describe('what was lost', () => {
  test('is reported as a gap before anything later', async () => {
    const hub = await startLiteralHub()
    const transport = client(hub)
    const told: unknown[] = []
    transport.on('gap', (gap) => told.push(gap))
    const sink = { deliver: ({ payload }: { payload: unknown }) => told.push(payload) > 0 }
    await transport.subscribe(['a', 'b.*'], sink).live
    hub.say(ev(1, 'before', 'a'), 'gap 2 9 slow', ev(10, 'after', 'a'))
    await until(() => told.length === 3, 'all three')
    const gap = { from: 2, to: 9, reason: 'slow', patterns: ['a', 'b.*'] }
    expect(told).toEqual(['before', gap, 'after'])
  })

  test('with the hub is reported once, to the bus as well, and what comes again is handled once [F84]', async () => {
    const hub = await startLiteralHub({
      welcome: ({ epoch, offset = 0 }, index) =>
        index === 0
          ? {}
          : {
              sid: 'sid-2',
              epoch: 'epoch-2',
              head: 2,
              gaps: epoch === 'epoch-1' ? [{ from: offset + 1, to: offset + 1, why: 'epoch' }] : [],
            },
    })
    const bus = busOf(client(hub))
    const told: unknown[] = []
    bus.on('gap', ({ reason, from }) => void told.push(`${reason} ${from}`))
    await bus.subscribe('a', ({ payload }) => void told.push(payload))
    hub.say(...evs(1, 3, 'a'))
    await hub.hears('ack')
    hub.server.faults.reset()
    await hub.welcomed(2)
    // Offsets begin anew: id-1 is resent, id-9 was never seen.
    const again = ev(1, 1, 'a', 'rv')
    const fresh = `rv 2 a id-9 {"payload":9,"metadata":{"timestamp":1,"source":"s"}}`
    hub.say(again, fresh)
    await until(() => told.length === 5, 'the resent event')
    hub.server.faults.reset()
    await hub.welcomed(3)
    hub.say(ev(3, 10, 'a').replace('id-3', 'id-10'))
    await until(() => told.length === 6, 'one more')
    expect(told).toEqual([1, 2, 3, 'epoch 4', 9, 10])
    expect(hub.hellos.map(({ epoch, offset }) => [epoch, offset])).toEqual([
      [undefined, undefined],
      ['epoch-1', 3],
      ['epoch-2', 2],
    ])
  })

  test.each([true, false])(
    'with a log that ends before what came from it is told once, and all of it is handled as new (the hub tells it: %s) [F99]',
    async (isTold) => {
      const hub = await startLiteralHub({
        welcome: ({ offset = 0 }, index) =>
          index === 0
            ? {}
            : {
                sid: 'sid-2',
                head: 2,
                gaps: isTold ? [{ from: offset + 1, to: offset + 1, why: 'epoch' }] : [],
              },
      })
      const bus = busOf(client(hub))
      const told: unknown[] = []
      bus.on('gap', ({ reason, from, to }) => void told.push(`${reason} ${from} ${to}`))
      await bus.subscribe('a', ({ payload }) => void told.push(payload))
      hub.say(...evs(1, 9, 'a'))
      await until(() => hub.heard('ack').at(-1) === '9', 'all are acknowledged')
      hub.server.faults.reset()
      await hub.welcomed(2)
      hub.say(ev(1, 'new 1', 'a'), ev(2, 'new 2', 'a'))
      await until(() => told.includes('new 2'), 'the events of the other log')
      expect(told).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 'epoch 10 10', 'new 1', 'new 2'])
      await until(() => hub.heard('ack').at(-1) === '2', 'the new ones are acknowledged')
    },
  )

  test('an event whose body means nothing is reported, and the next is handled [F69]', async () => {
    const hub = await startLiteralHub()
    const transport = client(hub)
    const notices = record(transport)
    const sink = await collect(transport, 'a')
    hub.say('ev 1 a x {"payload":1', ev(2, 2, 'a'))
    await until(() => sink.events.length === 1, 'the good one')
    expect(only(notices, 'undeliverable')).toMatchObject([
      { reason: 'undecodable', direction: 'inbound', raw: '{"payload":1' },
    ])
    expect(transport.status.state).toBe('ready')
  })
})

describe('the cursor goes on', () => {
  test('past what waited for a handler when its subscription ended', async () => {
    const hub = await startLiteralHub()
    const bus = busOf(client(hub))
    const releases: (() => void)[] = []
    const subscription = await bus.subscribe('a', () => new Promise<void>((r) => releases.push(r)))
    await bus.subscribe('b', () => {})
    hub.say(...evs(1, 5, 'a'), ev(6, 6, 'b'))
    await until(() => releases.length === 1, 'the first handler')
    const gone = subscription.unsubscribe()
    releases[0]?.()
    await gone
    expect((await hub.hears('ack')).at(-1)).toBe('6')
  })

  test.each([true, false])(
    "past a subscription that its error policy 'fail' has ended (dead letters: %s)",
    async (hasDeadLetters) => {
      const hub = await startLiteralHub()
      const transport = client(hub)
      const bus = createBus({ transport, ...(hasDeadLetters ? {} : { deadLetters: false }) })
      onTestFinished(() => bus.close())
      let fail = (): void => {}
      const failing = await bus.subscribe(
        'a',
        () => new Promise<void>((_, reject) => (fail = () => reject(new Error('no')))),
        { errorPolicy: { strategy: 'fail' } },
      )
      const seen: unknown[] = []
      await bus.subscribe('>', ({ payload }) => void seen.push(payload))
      hub.say(...evs(1, 5, 'a'), ev(6, 6, 'b'))
      await until(() => seen.length === 6, 'the other subscription')
      expect(hub.heard('ack')).toEqual([])
      fail()
      await expect(failing.closed).rejects.toMatchObject({ code: 'handler' })
      expect((await hub.hears('ack')).at(-1)).toBe('6')
    },
  )

  test('past events that the dead letters took', async () => {
    const hub = await startLiteralHub()
    const bus = busOf(client(hub))
    await bus.subscribe('a', () => {
      throw new Error('no')
    })
    hub.say(...evs(1, 3, 'a'))
    expect((await hub.hears('ack')).at(-1)).toBe('3')
    expect(bus.deadLetters?.size).toBe(3)
  })
})

describe('backpressure', () => {
  test('a slow handler holds the publisher back through the hub, with bounded memory, and lets it go on [F95, F102]', async () => {
    const window = { events: 50 }
    const hub = await startHub({ limits: { window }, log: { maxEvents: 100 }, holdMs: 60_000 })
    const publisher = busOf(client(hub, { queue: { capacity: 100 } }))
    const subscriber = busOf(client(hub))
    let release = (): void => {}
    const frozen = new Promise<void>((resolve) => (release = resolve))
    const seen: unknown[] = []
    const subscription = await subscriber.subscribe(
      'a',
      async ({ payload }) => {
        await frozen
        seen.push(payload)
      },
      { queue: { capacity: 10 } },
    )
    let confirmed = 0
    const all = Array.from({ length: 1_000 }, (_, n) =>
      publisher.publish('a', n).then(() => confirmed++),
    )
    await untilStill(() => confirmed, 'no more confirmations')
    // The log holds 100; what of it a window of 50 has let out waits in front of the handler.
    expect(confirmed).toBe(100)
    expect(publisher.backpressureStats().waiting).toBe(1_000 - 200)
    expect(hub.stats().busV1).toMatchObject({ log: { events: 100 }, held: 50 })
    expect(subscription.stats().queue.size + subscription.stats().active).toBeLessThanOrEqual(50)
    release()
    await Promise.all(all)
    await until(() => seen.length === 1_000, 'all')
    expect(seen).toEqual(Array.from({ length: 1_000 }, (_, n) => n))
  })

  test('one slow subscription of two holds the other up only when the window is full', async () => {
    const hub = await startHub({ limits: { window: { events: 20 } } })
    const publisher = busOf(client(hub))
    const subscriber = busOf(client(hub))
    let release = (): void => {}
    const frozen = new Promise<void>((resolve) => (release = resolve))
    const slow: unknown[] = []
    const fast: unknown[] = []
    await subscriber.subscribe('slow', async ({ payload }) => {
      await frozen
      slow.push(payload)
    })
    await subscriber.subscribe('fast', ({ payload }) => void fast.push(payload))
    await publisher.publish('slow', 0)
    for (let n = 0; n < 100; n++) await publisher.publish('fast', n)
    await untilStill(() => fast.length, 'no more events')
    expect([fast.length, slow.length]).toEqual([19, 0])
    release()
    await until(() => fast.length === 100 && slow.length === 1, 'all')
    expect(fast).toEqual(Array.from({ length: 100 }, (_, n) => n))
  })

  test('acknowledges a quarter of the window at once, however long the hub would wait', async () => {
    const hub = await startLiteralHub({
      welcome: () => limitsOf({ window: { events: 40, bytes: 1_000_000 }, ackMs: 3_600_000 }),
    })
    const transport = client(hub)
    const bus = busOf(transport)
    await bus.subscribe('a', () => {})
    hub.say(...evs(1, 9, 'a'))
    await until(() => transport.stats().received === 9, 'nine')
    hub.say(...evs(10, 12, 'a'))
    expect(Number((await hub.hears('ack')).at(-1))).toBeGreaterThanOrEqual(10)
  })
})

describe('draining', () => {
  test('acknowledges what was handled before it closes', async () => {
    const hub = await startLiteralHub({ welcome: () => limitsOf({ ackMs: 3_600_000 }) })
    const bus = busOf(client(hub))
    const releases: (() => void)[] = []
    await bus.subscribe('a', () => new Promise<void>((resolve) => releases.push(resolve)))
    hub.say(...evs(1, 2, 'a'))
    await until(() => releases.length === 1, 'the first handler')
    const drained = bus.drain()
    releases[0]?.()
    await until(() => releases.length === 2, 'the second handler')
    releases[1]?.()
    expect(await drained).toEqual({ unsent: [], unhandled: 0 })
    await hub.latest.waitForClose()
    expect(hub.said[0]?.at(-1)).toBe('ack 2')
  })

  test('closing acknowledges what was handled as well, and nothing more', async () => {
    const hub = await startLiteralHub({ welcome: () => limitsOf({ ackMs: 3_600_000 }) })
    const transport = client(hub)
    const sink = await hold(transport, 'a')
    hub.say(...evs(1, 3, 'a'))
    await until(() => sink.tokens.length === 3, 'all')
    sink.feed.settle(sink.tokens[0] ?? 0)
    await transport.close()
    await hub.latest.waitForClose()
    expect(hub.heard('ack')).toEqual(['1'])
  })

  test('what still comes after close() is neither handled nor acknowledged [F77]', async () => {
    const hub = await startLiteralHub({ welcome: () => limitsOf({ ackMs: 3_600_000 }) })
    const bus = busOf(client(hub))
    const seen: unknown[] = []
    await bus.subscribe('a', ({ payload }) => void seen.push(payload))
    hub.say(...evs(1, 3, 'a'))
    await until(() => seen.length === 3, 'the first ones')
    const closed = bus.close()
    hub.say(...evs(4, 6, 'a'))
    await closed
    await hub.latest.waitForClose()
    expect(seen).toEqual([1, 2, 3])
    expect(hub.heard('ack')).toEqual(['3'])
  })

  test('lets a hub that confirms with its subscribers confirm the last events', async () => {
    const hub = await startHub({ confirm: 'subscribers', graceMs: 0 })
    const publisher = busOf(client(hub))
    const subscriber = busOf(client(hub))
    await subscriber.subscribe('a', () => {})
    const receipt = publisher.publish('a', 1)
    await until(() => hub.stats().busV1.delivered === 1, 'the delivery')
    await subscriber.drain()
    expect(await receipt).toMatchObject({ status: 'confirmed' })
  })
})
