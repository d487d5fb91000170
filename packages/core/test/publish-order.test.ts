import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { BusOptions } from '../src/bus/bus-options.ts'
import type { AnyBus, Bus } from '../src/bus/bus.ts'
import { createBus } from '../src/bus/event-bus.ts'
import type { Middleware } from '../src/bus/middleware.ts'
import { createEvent } from '../src/contract/event.ts'
import { memoryMedium, memoryTransport } from '../src/memory/index.ts'
import { deferred, until } from '@bus/test-support'

const buses: AnyBus[] = []

function makeBus(options: Partial<BusOptions> = {}, medium = memoryMedium()): Bus {
  const bus = createBus({ transport: memoryTransport({ medium }), ...(options as object) })
  buses.push(bus)
  return bus
}

afterEach(async () => {
  await Promise.all(buses.splice(0).map((bus) => bus.close()))
})

/** The first takes longest, as a look-up that misses the cache. */
const later = (n: unknown): Promise<void> => sleep(n === 1 ? 30 : 0)

const slowSchema = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: async (value: unknown) => {
      await later(value)
      return value === 'bad' ? { issues: [{ message: 'no' }] } : { value }
    },
  },
} as const

const slowMiddleware: Middleware = {
  publish: async (event, next) => {
    await later(event.payload)
    return next(event)
  },
}

describe('events reach the transport in the order in which they were published', () => {
  test.each([
    ['a schema', { events: { 'a.x': slowSchema } }],
    ['a middleware', { middleware: [slowMiddleware] }],
  ])('through %s that answers later', async (_what, options) => {
    const medium = memoryMedium()
    const [bus, other] = [makeBus(options, medium), makeBus({}, medium)]
    const seen: unknown[] = []
    await other.subscribe('a.>', ({ payload }) => void seen.push(payload))
    const one = bus.publish('a.x', 1)
    bus.emit('a.x', 2)
    // Of a type without a schema: nothing would hold it up.
    const rest = [bus.publish('a.y', 3), bus.publish(createEvent('a.y', 4))]
    expect(await Promise.all([one, ...rest])).toHaveLength(3)
    await until(() => seen.length === 4)
    expect(seen).toEqual([1, 2, 3, 4])
  })

  test('one that is refused, or that a middleware keeps, does not hold up those behind it', async () => {
    const never = deferred<never>()
    const keeping: Middleware = {
      publish: (event, next) => (event.payload === 'kept' ? never.promise : next(event)),
    }
    const refusing = makeBus({ events: { 'a.x': slowSchema } })
    const refused = refusing.publish('a.x', 'bad')
    const [bad, good] = await Promise.allSettled([refused, refusing.publish('a.x', 2)])
    expect(bad).toMatchObject({ reason: { code: 'validation' } })
    expect(good).toMatchObject({ value: { status: 'confirmed' } })

    const bus = makeBus({ middleware: [keeping] })
    const kept = bus.publish('a.x', 'kept').catch((error: unknown) => error)
    const behind = bus.publish('a.x', 2)
    // It is still to come, so what was published after it waits.
    expect(await Promise.race([behind, sleep(20, 'waits')])).toBe('waits')
    never.reject(new Error('given up'))
    expect(await kept).toMatchObject({ message: 'given up' })
    expect(await behind).toMatchObject({ status: 'confirmed' })
  })

  test('what a middleware publishes before it goes on does not wait for the event that it holds', async () => {
    const seen: unknown[] = []
    const auditing: Middleware = {
      publish: async (event, next) => {
        if (event.type === 'audit') return next(event)
        await sleep(1)
        await bus.publish('audit', event.payload)
        return next(event)
      },
    }
    const bus = makeBus({ middleware: [auditing] })
    await bus.subscribe('>', ({ type, payload }) => void seen.push(`${type} ${String(payload)}`))
    await Promise.all([1, 2].map((n) => bus.publish('a', n)))
    await until(() => seen.length === 4)
    expect(seen.filter((line) => String(line).startsWith('a '))).toEqual(['a 1', 'a 2'])
    expect(seen.indexOf('audit 1')).toBeLessThan(seen.indexOf('a 1'))
  })
})

test('a look-up of a schema is not repeated for what comes back to its bus as it was accepted', async () => {
  let asked = 0
  const validate = async (value: unknown): Promise<{ value: unknown }> => {
    asked++
    await later(value)
    return { value }
  }
  const events = { a: { '~standard': { version: 1, vendor: 'test', validate } } } as const
  const medium = memoryMedium()
  const [bus, other] = [makeBus({ events }, medium), makeBus({ events }, medium)]
  const seen: unknown[] = []
  await bus.subscribe('a', ({ payload }) => void seen.push(payload))
  await bus.publish('a', { n: 1 })
  await until(() => seen.length === 1)
  expect(asked).toBe(1)
  // Not known here: of another bus, and not what JSON gives back.
  await other.publish('a', { n: 1 })
  await bus.publish('a', new Date(0))
  await until(() => seen.length === 3)
  expect(asked).toBe(5)
})

test('awaited publishes in a loop leave timers their turn', async () => {
  const bus = makeBus()
  await bus.subscribe('row', () => {})
  let published = 0
  const fired = new AbortController()
  setTimeout(() => fired.abort(), 1)
  // The bound is a hang's: without turns the timer never fires.
  while (!fired.signal.aborted && published < 1_000_000) await bus.publish('row', published++)
  expect(fired.signal.aborted).toBe(true)
})
