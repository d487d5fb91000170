import { describe, expect, test, vi } from 'vitest'
import type { Bus } from '../src/bus/bus.ts'
import { memoryMedium } from '../src/memory/index.ts'
import { SimulatedClock, useBuses, deferred, stateOf, until } from '@bus/test-support'

const makeBus = useBuses()

const operations: readonly [string, (bus: Bus) => Promise<unknown>][] = [
  ['publish', (bus) => bus.publish('a', 1)],
  ['subscribe', (bus) => bus.subscribe('a', () => {})],
  ['connect', (bus) => bus.connect()],
  ['events', (bus) => bus.events('a').next()],
]

describe.each([
  ['closed', 'closed', async (bus: Bus) => bus.close()],
  ['drained', 'closed', async (bus: Bus) => void (await bus.drain())],
  [
    'draining',
    'draining',
    async (bus: Bus) => {
      await bus.subscribe('hold', () => new Promise(() => {}))
      await bus.publish('hold', 1)
      void bus.drain({ timeoutMs: 60_000 })
    },
  ],
])('while %s', (_state, code, enter) => {
  test.each(operations)('%s rejects', async (_name, operate) => {
    const bus = makeBus()
    await enter(bus)
    await expect(operate(bus)).rejects.toMatchObject({ code })
  })

  test('nothing throws that only looks, and close resolves', async () => {
    const bus = makeBus()
    await enter(bus)
    expect(bus.emit('a', 1)).toEqual(expect.any(Boolean))
    expect((await bus.health()).status).toBe(code === 'closed' ? 'down' : 'up')
    expect(bus.backpressureStats().size).toBe(0)
    expect(bus.status.state).toBe(code === 'closed' ? 'closed' : 'ready')
    expect(bus.capabilities.echo).toBe(true)
    bus.on('status', () => {})[Symbol.dispose]()
    await Promise.all([bus.close(), bus.close()])
    expect(await bus.drain()).toMatchObject({ unsent: [] })
  })
})

describe('drain', () => {
  test('lets handlers finish what they have, then closes', async () => {
    const bus = makeBus()
    let handled = 0
    const subscription = await bus.subscribe('a', async () => {
      await new Promise((resolve) => setImmediate(resolve))
      handled++
    })
    for (let n = 0; n < 50; n++) await bus.publish('a', n)
    expect(await bus.drain()).toEqual({ unsent: [], unhandled: 0 })
    expect([handled, subscription.stats().handled]).toEqual([50, 50])
    expect(bus.status.state).toBe('closed')
    await subscription.closed
  })

  test('a handler that still runs may publish; no other code may', async () => {
    const medium = memoryMedium()
    const [bus, other] = [makeBus({}, { medium }), makeBus({}, { medium })]
    const seen = vi.fn()
    await other.subscribe('b', seen)
    const gate = deferred()
    await bus.subscribe('a', async () => {
      await gate.promise
      await bus.publish('b', 1)
    })
    await bus.publish('a', 1)
    const drained = bus.drain()
    await expect(bus.publish('b', 2)).rejects.toMatchObject({
      code: 'draining',
      outcome: 'not-sent',
    })
    gate.resolve()
    expect(await drained).toEqual({ unsent: [], unhandled: 0 })
    expect(seen).toHaveBeenCalledTimes(1)
    expect(bus.deadLetters?.size).toBe(0)
  })

  test('at its deadline gives up what is left, says how much, and keeps it as dead letters', async () => {
    const clock = new SimulatedClock()
    const bus = makeBus({ clock })
    let signal: AbortSignal | undefined
    await bus.subscribe('a', (_event, context) => {
      signal = context.signal
      return new Promise(() => {})
    })
    for (let n = 0; n < 4; n++) await bus.publish('a', n)
    const drained = bus.drain({ timeoutMs: 100 })
    clock.advance(99)
    expect(await stateOf(drained)).toBe('pending')
    clock.advance(1)
    expect(await drained).toEqual({ unsent: [], unhandled: 4, deadLetters: 3 })
    expect(signal?.aborted).toBe(true)
    expect(bus.deadLetters?.list().map(({ reason, direction }) => [reason, direction])).toEqual([
      ['closed', 'inbound'],
      ['closed', 'inbound'],
      ['closed', 'inbound'],
    ])
  })

  test('of a paused subscription ends at the deadline [F107]', async () => {
    const clock = new SimulatedClock()
    const bus = makeBus({ clock })
    const subscription = await bus.subscribe('a', () => {})
    subscription.pause()
    await bus.publish('a', 1)
    const drained = bus.drain({ timeoutMs: 10 })
    clock.advance(10)
    expect(await drained).toEqual({ unsent: [], unhandled: 1, deadLetters: 1 })
  })

  test('that is aborted closes at once and rejects', async () => {
    const bus = makeBus()
    await bus.subscribe('a', () => new Promise(() => {}))
    await bus.publish('a', 1)
    const control = new AbortController()
    const drained = bus.drain({ signal: control.signal })
    control.abort()
    await expect(drained).rejects.toMatchObject({ code: 'aborted' })
    expect(bus.status.state).toBe('closed')
  })

  test('within a handler does not wait for that handler', async () => {
    const bus = makeBus()
    const report = deferred<unknown>()
    await bus.subscribe('a', async () => report.resolve(await bus.drain()))
    await bus.publish('a', 1)
    expect(await report.promise).toEqual({ unsent: [], unhandled: 0 })
  })

  test('twice is one drain, and close ends it [F136]', async () => {
    const bus = makeBus()
    await bus.subscribe('a', () => new Promise(() => {}))
    await bus.publish('a', 1)
    const first = bus.drain()
    expect(bus.drain()).toBe(first)
    await bus.close()
    expect(await first).toEqual({ unsent: [], unhandled: 1 })
  })

  test('await using drains', async () => {
    const seen = vi.fn()
    {
      await using bus = makeBus()
      await bus.subscribe('a', async () => {
        await new Promise((resolve) => setImmediate(resolve))
        seen()
      })
      await bus.publish('a', 1)
    }
    expect(seen).toHaveBeenCalledTimes(1)
  })
})

describe('close', () => {
  test('rejects every publish that waits, with what became of it', async () => {
    const bus = makeBus({}, { queue: { capacity: 1 } })
    const gate = deferred()
    await bus.subscribe('a', () => gate.promise, { queue: { capacity: 1 } })
    await bus.publish('a', 0)
    await bus.publish('a', 1)
    const waiting = [2, 3, 4].map((n) => bus.publish('a', n).catch((error: unknown) => error))
    await stateOf(Promise.resolve())
    await bus.close()
    for (const error of await Promise.all(waiting)) {
      expect(error).toMatchObject({ code: 'closed', outcome: 'not-sent' })
    }
    gate.resolve()
  })

  test('within a handler does not deadlock [F136]', async () => {
    const bus = makeBus()
    let closed = false
    await bus.subscribe('a', async () => {
      await bus.close()
      closed = true
    })
    void bus.publish('a', 1).catch(() => {})
    await until(() => closed)
  })

  test('a subscribe that is not live yet rejects', async () => {
    const bus = makeBus()
    const subscribing = bus.subscribe('a', () => {})
    const closing = bus.close()
    await expect(subscribing).rejects.toMatchObject({ code: 'closed' })
    await closing
  })
})
