import { backoff, matches, type Middleware } from '@bus/core'
import { memoryMedium } from '@bus/core/memory'
import { describe, expect, expectTypeOf, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { FakeClock } from '../src/fake-clock.ts'
import { testBus, type TestBusOptions } from '../src/test-bus/test-bus.ts'

type Orders = {
  'order.created': { total: number }
  'order.paid': { total: number }
}

function setUp(options?: TestBusOptions) {
  const made = testBus<Orders>(options)
  onTestFinished(() => made[Symbol.asyncDispose]())
  return made
}

const retries = { attempts: 3, backoff: backoff.constant({ delayMs: 60_000 }) }

describe('a bus for tests', () => {
  test('tells what was published and what was consumed, by pattern and by function, before the call and after it', async () => {
    const shop = setUp()
    await shop.bus.subscribe('order.*', () => {})
    const consumed = shop.consumed('order.paid')
    const published = shop.published(({ payload }) => (payload as { total: number }).total === 2)
    await shop.bus.publish('order.created', { total: 1 })
    await shop.bus.publish('order.paid', { total: 2 })
    expect((await consumed).type).toBe('order.paid')
    expect((await published).type).toBe('order.paid')
    expect((await shop.published('order.*')).payload).toEqual({ total: 1 })
    expect(shop.publishedEvents.map(({ type }) => type)).toEqual(['order.created', 'order.paid'])
    expect(shop.consumedEvents.every(({ type }) => matches('order.*', type))).toBe(true)
  })

  test('counts what an async handler has finished, and what was emitted', async () => {
    const shop = setUp()
    let finish: () => void = () => {}
    await shop.bus.subscribe('order.*', () => new Promise<void>((resolve) => (finish = resolve)))
    shop.bus.emit('order.created', { total: 1 })
    await shop.published('order.created')
    const isOver = shop.consumed('order.created', { timeoutMs: 20 })
    await expect(isOver).rejects.toMatchObject({ code: 'timeout' })
    finish()
    await shop.consumed('order.created')
  })

  test('takes schemas, which type it, and is over after close', async () => {
    const events = { 'order.sent': z.object({ at: z.coerce.date() }) }
    const shop = testBus({ events })
    await shop.bus.subscribe('order.*', (event) => {
      expectTypeOf(event.payload).toEqualTypeOf<{ at: Date }>()
    })
    await expect(shop.bus.publish('order.sent', { at: 'never' })).rejects.toMatchObject({
      code: 'validation',
    })
    await shop.bus.publish('order.sent', { at: new Date(0) })
    await shop.consumed('order.sent')
    await shop.close()
    await expect(shop.bus.publish('order.sent', { at: 0 })).rejects.toMatchObject({
      code: 'closed',
    })
  })

  test('tells of the dead letters', async () => {
    const shop = setUp()
    await shop.bus.subscribe('order.*', () => {
      throw new Error('mine')
    })
    await shop.bus.publish('order.created', { total: 1 })
    const letter = await shop.deadLettered('order.created')
    expect(letter).toMatchObject({ reason: 'handler', attempts: 1 })
    expect(shop.deadLetters).toEqual([letter])
    expect(shop.consumedEvents).toEqual([])
  })

  test('moves its retries with its clock', async () => {
    const shop = setUp()
    let calls = 0
    const handler = (): void => {
      if (++calls < 3) throw new Error('not yet')
    }
    await shop.bus.subscribe('order.*', handler, { errorPolicy: { retry: retries } })
    await shop.bus.publish('order.created', { total: 1 })
    await shop.clock.untilPending(1)
    expect([calls, shop.clock.nextIn]).toEqual([1, 60_000])
    await shop.clock.advanceAsync(60_000)
    expect(calls).toBe(2)
    await shop.clock.advanceAsync(60_000)
    await shop.consumed('order.created')
    expect(calls).toBe(3)
  })

  test('is idle when every event is done, not before', async () => {
    const shop = setUp()
    await shop.idle()
    const seen: number[] = []
    const slow = async (event: { payload: { total: number } }): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 2))
      seen.push(event.payload.total)
    }
    await shop.bus.subscribe('order.created', slow)
    for (let total = 0; total < 10; total++) shop.bus.emit('order.created', { total })
    await shop.idle()
    expect(seen).toHaveLength(10)
  })

  test('says what it still does when it is not idle in time', async () => {
    const shop = setUp()
    const handler = (): void => {
      throw new Error('not yet')
    }
    await shop.bus.subscribe('order.*', handler, { errorPolicy: { retry: retries } })
    await shop.bus.publish('order.created', { total: 1 })
    await expect(shop.idle({ timeoutMs: 20 })).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringMatching(/1 with handlers, a timer in 60000 ms/) as string,
    })
    const aborted = shop.idle({ signal: AbortSignal.abort() })
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' })
    await shop.clock.advanceAsync(120_000)
    await shop.idle()
    expect(shop.deadLetters).toHaveLength(1)
  })

  test('says what there is when what is awaited does not come', async () => {
    const shop = setUp()
    await shop.bus.publish('order.created', { total: 1 })
    const limits = { timeoutMs: 5 }
    await expect(shop.published('order.paid', limits)).rejects.toThrow(/there are order\.created/)
    await expect(shop.consumed('order.paid', limits)).rejects.toThrow(/there is none/)
    await expect(shop.deadLettered('order.paid', limits)).rejects.toThrow(/a dead letter/)
    const aborted = shop.published('order.paid', { signal: AbortSignal.abort() })
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' })
  })

  test('shares a medium and a clock with others, and keeps the middleware that it is given', async () => {
    const [medium, clock] = [memoryMedium(), new FakeClock()]
    const seen: string[] = []
    const middleware: Middleware[] = [
      { publish: (event, next) => (seen.push(event.type), next(event)) },
    ]
    const one = setUp({ memory: { medium }, clock, middleware, source: 'one' })
    const two = setUp({ memory: { medium }, clock })
    await two.bus.subscribe('order.*', () => {})
    await one.bus.publish('order.created', { total: 1 })
    expect((await two.consumed('order.created')).metadata.source).toBe('one')
    expect(seen).toEqual(['order.created'])
    expect(two.publishedEvents).toEqual([])
    expect([one.clock, two.clock]).toEqual([clock, clock])
  })

  test('closes with the block, and leaves no timer', async () => {
    let left
    {
      await using shop = testBus<Orders>()
      left = shop
      await shop.bus.subscribe('order.*', () => {})
      await shop.bus.publish('order.created', { total: 1 })
    }
    expect(left.bus.status.state).toBe('closed')
    expect(left.clock.pending).toBe(0)
  })

  test('refuses a transport, unknown options, and what matches nothing', async () => {
    expect(() => testBus({ transport: {} } as object)).toThrow(/in memory/)
    expect(() => testBus({ sauce: 'x' } as object)).toThrow(/did you mean `source`/)
    expect(() => setUp().published('not a type')).toThrow(/not a type/)
    expect(() => setUp().consumed(5 as never)).toThrow(/a pattern or a function/)
  })
})
