import { describe, expect, test } from 'vitest'
import { ConfigError, InMemoryDeadLetterQueue, createBus, type ErrorPolicy } from '../src/index.ts'
import { memoryTransport } from '../src/memory/index.ts'
import { until } from '@bus/test-support'

/** Dead letters that refuse everything: the queue is smaller than any letter. */
const full = (): InMemoryDeadLetterQueue => new InMemoryDeadLetterQueue({ maxBytes: 1 })

async function busThatFails(errorPolicy: ErrorPolicy, deadLetters = full()) {
  const told: string[] = []
  const handled: unknown[] = []
  const bus = createBus({
    transport: memoryTransport(),
    deadLetters,
    onError: (_error, kind) => void told.push(kind),
  })
  const subscription = await bus.subscribe(
    'a',
    (event) => {
      handled.push(event.payload)
      throw new Error('no')
    },
    { errorPolicy },
  )
  return { bus, subscription, told, handled }
}

describe('a dead letter that cannot be stored', () => {
  test('is reported with fallback log, and the next event is handled', async () => {
    const given = await busThatFails({ deadLetter: { fallback: 'log' } })
    await using bus = given.bus
    await bus.publish('a', 1)
    await bus.publish('a', 2)
    await until(() => given.handled.length === 2)
    expect(given.told).toEqual(['handler', 'dead-letter', 'handler', 'dead-letter'])
    expect(given.handled).toEqual([1, 2])
  })

  test('ends the subscription with fallback fail', async () => {
    const given = await busThatFails({ deadLetter: { fallback: 'fail' } })
    await using bus = given.bus
    await bus.publish('a', 1)
    await expect(given.subscription.closed).rejects.toMatchObject({ code: 'handler' })
    expect(bus.subscriptions).toEqual([])
  })

  test('is stored by fallback retry once there is room, and its handler is not run again', async () => {
    const deadLetters = new InMemoryDeadLetterQueue({ capacity: 1, overflow: 'refuse' })
    const retry = { attempts: 1_001, backoff: (): number => 1 }
    const given = await busThatFails({ deadLetter: { fallback: 'retry', retry } }, deadLetters)
    await using bus = given.bus
    await bus.publish('a', 1)
    await until(() => deadLetters.size === 1)
    await bus.publish('a', 2)
    await until(() => given.told.filter((kind) => kind === 'dead-letter').length > 2)
    expect(deadLetters.list()).toMatchObject([{ event: { payload: 1 } }])
    deadLetters.clear()
    await until(() => deadLetters.size === 1)
    expect(deadLetters.list()).toMatchObject([{ event: { payload: 2 }, attempts: 1 }])
    expect(given.handled).toEqual([1, 2])
    expect(given.told.filter((kind) => kind === 'handler')).toHaveLength(2)
  })

  test('may go somewhere else altogether', async () => {
    const letters: unknown[] = []
    const deliver = async (letter: { readonly event?: { readonly payload: unknown } }) =>
      void letters.push(letter.event?.payload)
    const given = await busThatFails({ strategy: 'dlq', deadLetter: { deliver } })
    await using bus = given.bus
    await bus.publish('a', 1)
    await until(() => letters.length === 1)
    expect(bus.deadLetters?.size).toBe(0)
  })
})

describe('a mistake in the way of dead letters', () => {
  test.each([
    [{ fallback: 'forget' }, 'errorPolicy.deadLetter.fallback'],
    [{ deliver: 'queue' }, 'errorPolicy.deadLetter.deliver'],
    [{ retry: { attempts: -1 } }, 'errorPolicy.deadLetter.retry.attempts'],
    [{ retry: {} }, 'errorPolicy.deadLetter.retry.attempts'],
    [{ falback: 'log' }, 'errorPolicy.deadLetter.falback'],
  ])('%j is refused by the name of the option', async (deadLetter, path) => {
    await using bus = createBus({ transport: memoryTransport() })
    const subscribing = bus.subscribe('a', () => {}, { errorPolicy: { deadLetter } as ErrorPolicy })
    await expect(subscribing).rejects.toThrow(ConfigError)
    await expect(subscribing).rejects.toMatchObject({ path })
  })
})
