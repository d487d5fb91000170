import { describe, expect, test, vi } from 'vitest'
import { type Event } from '../src/contract/event.ts'
import { memoryTransport } from '../src/memory/index.ts'
import { useBuses, until } from '@bus/test-support'

const makeBus = useBuses()

describe('connecting', () => {
  test('connect passes its options on, and rejects as the transport does', async () => {
    const transport = memoryTransport()
    const connect = vi.spyOn(transport, 'connect').mockRejectedValueOnce(new Error('no link'))
    const bus = makeBus({ transport })
    await expect(bus.connect({ retry: true })).rejects.toThrow('no link')
    expect(connect).toHaveBeenCalledWith({ retry: true })
    await expect(bus.connect()).resolves.toBeUndefined()
  })

  test('publish and subscribe leave it to the transport to connect', async () => {
    const transport = memoryTransport()
    const connect = vi.spyOn(transport, 'connect')
    const bus = makeBus({ transport })
    await bus.subscribe('a', () => {})
    await bus.publish('a', 1)
    expect(connect).not.toHaveBeenCalled()
    expect(bus.status.state).toBe('ready')
  })

  test('what is published before the connection stands keeps its order', async () => {
    const bus = makeBus()
    const seen: unknown[] = []
    const live = bus.subscribe('a', ({ payload }) => void seen.push(payload))
    bus.emit('a', 1)
    const second = bus.publish('a', 2)
    bus.emit('a', 3)
    await Promise.all([live, second])
    await until(() => seen.length === 3)
    expect(seen).toEqual([1, 2, 3])
  })
})

describe('emit', () => {
  test('answers false when the queue is full, and says ready later', async () => {
    const bus = makeBus({}, { queue: { capacity: 2 } })
    const ready = vi.fn()
    bus.on('ready', ready)
    expect([bus.emit('a', 1), bus.emit('a', 2), bus.emit('a', 3)]).toEqual([true, false, false])
    await until(() => ready.mock.calls.length === 1)
    expect(bus.deadLetters?.list()).toMatchObject([
      { reason: 'dropped', direction: 'outbound', event: { payload: 3 } },
    ])
  })

  test('answers false when the event itself found no room, though a smaller one would', async () => {
    const bus = makeBus({}, { queue: { maxBytes: 600 } })
    const ready = vi.fn()
    bus.on('ready', ready)
    const large = 'x'.repeat(300)
    expect([bus.emit('a', large), bus.emit('a', large), bus.emit('a', 1)]).toEqual([
      true,
      false,
      true,
    ])
    await until(() => ready.mock.calls.length === 1)
    expect(bus.deadLetters?.list()).toMatchObject([{ reason: 'dropped', direction: 'outbound' }])
  })

  test.each([
    ['directly', []],
    [
      'through middleware',
      [{ publish: (event: Event, next: (e: Event) => Promise<never>) => next(event) }],
    ],
  ])('an event that cannot be encoded becomes a dead letter (%s)', async (_how, middleware) => {
    const bus = makeBus({ middleware })
    bus.emit('a', 1n)
    await until(() => bus.deadLetters?.size === 1)
    expect(bus.deadLetters?.list()).toMatchObject([
      { reason: 'rejected', error: { code: 'serialization' } },
    ])
  })

  test('after close it reports and keeps the event as a dead letter', async () => {
    const errors: string[] = []
    const bus = makeBus({ onError: (error, kind) => void errors.push(`${kind}: ${error.message}`) })
    await bus.close()
    expect(() => bus.emit('a', 1)).not.toThrow()
    expect(errors).toEqual(['emit: The bus is closed'])
    expect(bus.deadLetters?.list()).toMatchObject([{ reason: 'closed', source: 'memory' }])
  })
})
