import { describe, expect, test, vi } from 'vitest'
import { collector, lostBy, ready, SimulatedClock, stateOf, until } from '@bus/test-support'
import { textCodec } from '../codec/text-codec.ts'
import { createEvent, type Event } from '../contract/event.ts'
import { memoryMedium, memoryTransport, type MemoryTransportOptions } from './index.ts'

describe('delivery', () => {
  test('reaches every transport of the medium, its own too, and no other medium', async () => {
    const medium = memoryMedium()
    const [one, two, apart] = [await ready({ medium }), await ready({ medium }), await ready()]
    const sinks = [one, two, apart].map((transport) => {
      const sink = collector()
      transport.subscribe(['a.*'], sink)
      return sink
    })
    expect(await one.publish(createEvent('a.b', 1, { id: 'x' }))).toEqual({
      id: 'x',
      status: 'confirmed',
      attempts: 1,
    })
    expect(sinks.map((sink) => sink.events.length)).toEqual([1, 1, 0])
  })

  test('fixes the bytes before publish returns', async () => {
    const transport = await ready()
    const sink = collector()
    transport.subscribe([], sink)
    const payload = { n: 1 }
    const published = transport.publish(createEvent('a', payload))
    payload.n = 2
    await published
    expect(sink.events[0]?.payload).toEqual({ n: 1 })
  })

  test('never happens inside publish or emit', async () => {
    const transport = await ready()
    const sink = collector()
    transport.subscribe([], sink)
    transport.emit(createEvent('a', 1))
    void transport.publish(createEvent('a', 2))
    expect(sink.events).toHaveLength(0)
    await until(() => sink.events.length === 2)
  })

  test('keeps the order of one publisher, published or emitted', async () => {
    const transport = await ready({ queue: { capacity: 3 } })
    const sink = collector()
    transport.subscribe([], sink)
    const published: Promise<unknown>[] = []
    for (let n = 0; n < 1_000; n++) published.push(transport.publish(createEvent('a', n)))
    await Promise.all(published)
    expect(sink.events.map(({ payload }) => payload)).toEqual(published.map((_, n) => n))
  })

  test('handlers that publish without end do not starve timers', async () => {
    const transport = await ready()
    let published = 0
    let stop = false
    transport.subscribe([], {
      deliver: () => {
        published++
        if (!stop) transport.emit(createEvent('a', 1))
        return true
      },
    })
    transport.emit(createEvent('a', 1))
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    stop = true
    expect(published).toBeGreaterThan(1)
  })

  test('uses the codec it is given', async () => {
    const transport = await ready({ codec: textCodec({ type: 'note' }) })
    const sink = collector()
    transport.subscribe(['note'], sink)
    await transport.publish(createEvent('note', 'plain'))
    expect(sink.events[0]?.payload).toBe('plain')
    await expect(transport.publish(createEvent('note', 7))).rejects.toMatchObject({
      code: 'serialization',
    })
  })

  test('a frame that cannot be decoded is undeliverable, with the frame', async () => {
    const decode = (): Event => {
      throw new Error('garbled')
    }
    const transport = await ready({ codec: { ...textCodec(), decode } })
    const lost = lostBy(transport)
    transport.subscribe([], collector())
    await transport.publish(createEvent('message', 'x'))
    expect(lost).toMatchObject([{ reason: 'undecodable', direction: 'inbound', raw: 'x' }])
  })

  test('refuses at-least-once, which it does not promise, in every call that can ask for it', async () => {
    const transport = await ready()
    const lost = lostBy(transport)
    const sink = collector()
    transport.subscribe(['a'], sink)
    const delivery = 'at-least-once'
    const unsupported = { code: 'unsupported', outcome: 'not-sent' }
    await expect(transport.publish(createEvent('a', 1), { delivery })).rejects.toMatchObject(
      unsupported,
    )
    expect(() => transport.subscribe(['a'], sink, { delivery })).toThrow(
      expect.objectContaining(unsupported),
    )
    expect(transport.emit(createEvent('a', 2), { delivery })).toBe(true)
    expect(lost).toMatchObject([{ reason: 'rejected', error: unsupported, event: { payload: 2 } }])
    await transport.publish(createEvent('a', 3), { delivery: 'at-most-once' })
    expect(sink.events).toMatchObject([{ payload: 3 }])
  })

  test('the first use connects', async () => {
    const transport = memoryTransport()
    expect(transport.status.state).toBe('idle')
    await expect(transport.publish(createEvent('a', 1))).resolves.toMatchObject({
      id: expect.any(String),
    })
    expect(transport.status.state).toBe('ready')
    await transport.close()
  })
})

describe('life', () => {
  test('reports its states as they are', async () => {
    const transport = memoryTransport()
    const told: string[] = []
    transport.on(
      'status',
      ({ status, previous }) => void told.push(`${previous.state} ${status.state}`),
    )
    transport.on('open', ({ generation }) => void told.push(`open ${generation}`))
    expect(await transport.health()).toMatchObject({
      status: 'down',
      reasons: ['not connected yet'],
    })
    await Promise.all([transport.connect(), transport.connect()])
    expect(await transport.health()).toMatchObject({ status: 'up', reasons: [] })
    await transport.drain()
    expect(await transport.health()).toMatchObject({ status: 'down', reasons: ['closed'] })
    expect(told).toEqual(['idle ready', 'open 1', 'ready draining', 'draining closed'])
    await expect(transport.connect()).rejects.toMatchObject({ code: 'closed' })
  })

  test('drain delivers what was accepted, then closes', async () => {
    const transport = await ready()
    const sink = collector()
    transport.subscribe([], sink)
    for (let n = 0; n < 1_000; n++) transport.emit(createEvent('a', n))
    const drained = transport.drain()
    await expect(transport.publish(createEvent('a', 1))).rejects.toMatchObject({ code: 'draining' })
    expect(await drained).toEqual({ unsent: [], unhandled: 0 })
    expect(sink.events).toHaveLength(1_000)
  })

  test('drain names what it could not deliver in time', async () => {
    const clock = new SimulatedClock()
    const transport = await ready({ clock })
    const lost = lostBy(transport)
    transport.subscribe([], collector(1))
    for (const id of ['1', '2', '3']) transport.emit(createEvent('a', 1, { id }))
    const drained = transport.drain({ timeoutMs: 10 })
    await stateOf(drained)
    clock.advance(10)
    expect(await drained).toEqual({ unsent: ['2', '3'], unhandled: 0 })
    expect(lost.map(({ reason, event }) => [reason, event?.id])).toEqual([
      ['closed', '2'],
      ['closed', '3'],
    ])
    expect(clock.pending).toBe(0)
  })

  test('after close nothing is delivered, reported or accepted', async () => {
    const transport = await ready()
    const sink = collector()
    const feed = transport.subscribe([], sink)
    void transport.publish(createEvent('a', 1)).catch(() => {})
    await transport.close()
    await transport.close()
    const told = vi.fn()
    transport.on('undeliverable', told)
    await expect(transport.publish(createEvent('a', 1))).rejects.toMatchObject({
      code: 'closed',
      outcome: 'not-sent',
    })
    expect(() => transport.subscribe([], sink)).toThrow(expect.objectContaining({ code: 'closed' }))
    await feed.unsubscribe()
    await stateOf(Promise.resolve())
    transport.emit(createEvent('a', 1))
    expect(sink.events).toHaveLength(0)
    expect(told).not.toHaveBeenCalled()
  })

  test('its capabilities are frozen and survive JSON', () => {
    const { capabilities } = memoryTransport()
    expect(Object.isFrozen(capabilities)).toBe(true)
    expect(JSON.parse(JSON.stringify(capabilities))).toEqual(capabilities)
  })

  test.each([
    [{ holdMs: -1 }, 'holdMs'],
    [{ medium: {} }, 'medium'],
    [{ codec: {} }, 'codec'],
    [{ queue: { capacity: 0 } }, 'queue.capacity'],
    [{ hold: 1 }, 'hold'],
  ])('refuses %j', (options, path) => {
    expect(() => memoryTransport(options as MemoryTransportOptions)).toThrow(
      expect.objectContaining({ code: 'config', path }),
    )
  })
})
