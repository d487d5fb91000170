import type { StandardSchemaV1 } from '@standard-schema/spec'
import { describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import type { BusOptions } from '../src/bus/bus-options.ts'
import { createBus } from '../src/bus/event-bus.ts'
import { createEvent } from '../src/contract/event.ts'
import { memoryMedium, memoryTransport } from '../src/memory/index.ts'
import { useBuses, StubTransport, deferred, until } from '@bus/test-support'

const makeBus = useBuses()

describe('health', () => {
  test('counts every event that waits, also those that came although the transport was asked to pause', async () => {
    const transport = new StubTransport()
    const bus = createBus({ transport })
    const subscription = await bus.subscribe('a', () => new Promise(() => {}), {
      queue: { capacity: 2 },
    })
    for (let n = 0; n < 10; n++) transport.feeds[0]?.sink.deliver(createEvent('a', n), n)
    expect((await bus.health()).subscriptions).toMatchObject([{ queued: 9 }])
    expect(subscription.stats()).toMatchObject({ active: 1, queue: { size: 9, capacity: 2 } })
    await bus.close()
  })
})

describe('middleware', () => {
  test('wraps publishing and handling, the first outermost', async () => {
    const log: string[] = []
    const layer = (name: string): NonNullable<BusOptions['middleware']>[number] => ({
      publish: async (event, next) => {
        log.push(`${name} publish`)
        return next(createEvent(event.type, `${String(event.payload)}${name}`))
      },
      deliver: async (event, next) => {
        log.push(`${name} deliver`)
        await next(event)
        log.push(`${name} delivered`)
      },
    })
    const bus = makeBus({ middleware: [layer('1'), {}, layer('2')] })
    const gate = deferred<unknown>()
    await bus.subscribe('a', (event) => gate.resolve(event.payload))
    await bus.publish('a', 'x')
    expect(await gate.promise).toBe('x12')
    await until(() => log.length === 6)
    expect(log).toEqual([
      '1 publish',
      '2 publish',
      '1 deliver',
      '2 deliver',
      '2 delivered',
      '1 delivered',
    ])
  })

  test('that throws rejects the publish, or fails the handling', async () => {
    const bus = makeBus({
      middleware: [
        {
          publish: (event, next) => {
            if (event.type === 'no') throw new Error('refused')
            return next(event)
          },
          deliver: () => {
            throw new Error('not handled')
          },
        },
      ],
    })
    const handler = vi.fn()
    await bus.subscribe('>', handler)
    await expect(bus.publish('no', 1)).rejects.toThrow('refused')
    await bus.publish('yes', 1)
    expect(handler).not.toHaveBeenCalled()
    expect(bus.deadLetters?.list()).toMatchObject([{ error: { message: 'not handled' } }])
  })
})

describe('schemas', () => {
  const events = {
    'order.created': z.object({ total: z.number(), tag: z.string().default('none') }),
    'order.late': z.object({ n: z.string().transform(Number) }).refine(async () => true),
  }

  test('publish validates, and sends what the schema makes of the payload', async () => {
    await using bus = createBus({ transport: memoryTransport(), events, validate: 'publish' })
    const seen: unknown[] = []
    await bus.subscribe('order.*', (event) => void seen.push(event.payload))
    await bus.publish('order.created', { total: 1 })
    await bus.publish('order.late', { n: '5' })
    expect(seen).toEqual([{ total: 1, tag: 'none' }, { n: 5 }])
    const bad = { total: 'x' } as unknown as { total: number }
    await expect(bus.publish('order.created', bad)).rejects.toMatchObject({
      code: 'validation',
      outcome: 'not-sent',
      issues: [{ path: 'total' }],
    })
    expect(bus.emit('order.created', bad)).toBe(true)
    expect(bus.deadLetters?.list()).toMatchObject([{ reason: 'rejected', direction: 'outbound' }])
  })

  test('by default a handler sees the type that it is declared with, whatever the codec makes of it', async () => {
    const dated = { 'order.sent': z.object({ at: z.coerce.date() }) }
    await using bus = createBus({ transport: memoryTransport(), events: dated })
    const seen: unknown[] = []
    await bus.subscribe('order.*', (event) => void seen.push(event.payload.at))
    await bus.publish('order.sent', { at: new Date(0) })
    expect(seen).toEqual([new Date(0)])
  })

  test('both: each receiver validates, and what it does not accept is undecodable', async () => {
    const medium = memoryMedium()
    await using bus = createBus({
      transport: memoryTransport({ medium }),
      events,
      validate: 'both',
    })
    const other = makeBus({}, { medium })
    const seen: unknown[] = []
    await bus.subscribe('order.*', (event) => void seen.push(event.payload))
    await bus.publish('order.late', { n: '5' })
    await other.publish('order.created', { total: 'x' })
    await other.publish('order.late', { n: 5 })
    await other.publish('order.created', { total: 2 })
    await until(() => seen.length === 2)
    expect(seen).toEqual([{ n: 5 }, { total: 2, tag: 'none' }])
    expect(bus.deadLetters?.list()).toMatchObject([
      { reason: 'undecodable', error: { code: 'validation' }, event: { payload: { total: 'x' } } },
      { reason: 'undecodable', error: { code: 'validation' } },
    ])
  })

  test('may answer with promises of their library’s own kind', async () => {
    const answer = { value: 'settled' }
    const thenable = { then: (resolve: (result: typeof answer) => void) => resolve(answer) }
    const schema: StandardSchemaV1<string, string> = {
      '~standard': {
        version: 1,
        vendor: 'own',
        validate: () => thenable as unknown as Promise<typeof answer>,
      },
    }
    const schemas = { 'order.odd': schema }
    await using bus = createBus({ transport: memoryTransport(), events: schemas, validate: 'both' })
    const seen: unknown[] = []
    await bus.subscribe('order.odd', ({ payload }) => void seen.push(payload))
    await bus.publish('order.odd', 'given')
    await until(() => seen.length === 1)
    expect(seen).toEqual(['settled'])
  })

  test('none: the schemas only give types', async () => {
    await using bus = createBus({ transport: memoryTransport(), events, validate: 'none' })
    await bus.publish('order.created', { total: 'x' as unknown as number })
    expect(bus.deadLetters?.size).toBe(0)
  })
})
